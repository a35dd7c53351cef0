"""Views of incidents: pure folds from recorded events to rows."""
