"""Predictors over estimators in memory, and quicker forms of them that answer alike."""
