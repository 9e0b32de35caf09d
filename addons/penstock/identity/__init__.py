"""Who is calling: OpenID Connect access tokens and machine keys, verified before anything else is looked at."""
