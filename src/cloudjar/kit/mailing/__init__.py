"""What both APIs of Amazon SES (v1 and v2) keep and do: they show the same identities, templates and letters."""
