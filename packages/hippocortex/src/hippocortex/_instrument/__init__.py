"""What `wrap` and `auto` share: one interceptor, two ways to install it."""
