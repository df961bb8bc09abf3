"""The pages: plain data in, one HTML file out.

* One file, no network, no framework: styles and the script are inlined and allowed by their hash only.
* All data is hostile: `escape.esc` alone turns it into markup, everything else is autoescaped.
* A sentence before a chart, a number before a bar, n and an interval beside every rate.
* Absent data means an absent section and one sentence, never an empty chart.
* Without JavaScript nothing is missing: the script adds sorting, keys, the large view and "Copy".
* Nothing is measured here. The pages show what they are given; only counts and intervals are worked out.
"""
