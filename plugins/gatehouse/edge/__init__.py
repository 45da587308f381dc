"""How canonical names are reached: from where the suite runs, and from inside a pod."""
