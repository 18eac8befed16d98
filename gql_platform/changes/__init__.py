"""Changes of deployments, each done once and written down."""
