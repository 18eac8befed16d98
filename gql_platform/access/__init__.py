"""Who may do what: permissions, viewers, and the check of keys."""
