//! Examples of `smooth-origin` inside web frameworks.
