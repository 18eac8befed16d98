"""Limits and cost of documents, measured before anything runs.

`guard` is the door: it parses a text within limits, measures the document as if its fragments
were written out, and validates it with a bounded effort. Each fragment is visited once: what it
holds is summed up, and the sum is added wherever the fragment is spread. Sums saturate, so that
neither time nor memory depends on how large the written-out document would be.

    bounds        the limits, their defaults and their order
    refusals      what is raised
    declarations  what a schema tells about the cost of its fields and the size of its lists
    sizes         how many items an argument or a variable asks for
    sums          sums that depend on variables, compiled into a few steps
    survey        the flat pass: counts, the order of fragments, cycles, introspection
    expansion     the measures of the written-out document
    response      the cost of what was really returned
    validation    validation with bounded effort
    guard         all of it together
"""
