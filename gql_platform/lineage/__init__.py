"""What came from what: data sets, runs, versions of models, deployments."""
