"""The code host: bare git repositories over smart HTTP, pull requests over GitHub's REST API, image builds."""
