"""The lab: real node processes on bad lines. See docs/federation.md, section 7."""
