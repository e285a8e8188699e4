"""What pages show, as frozen values: read from the store in a fixed number of statements, testable without HTML.

Rule: a view is a `Shown` of `console.api.shapes`; the API answers with it as it is, a page renders it.
Must not know: HTML, requests.
"""
