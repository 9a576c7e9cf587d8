"""Who may: owners, ACLs, policies, access points, uploads of browsers."""
