"""Read YAML that people write: plain data with the place of every value, and every problem at once.

The only home of pyyaml. What surprises people in YAML is taken out: `no`, `on`, `10:00`, `1_000` and dates
stay text; only null, true, false and plain decimal integers are read as such. Duplicate keys, aliases,
anchors, merge keys and tags are errors. Size, depth and number of values are bounded.
Reads no file itself: callers hand over text and the name to show.
"""

from gateway.yaml_source.models import nearest, validate
from gateway.yaml_source.places import Document, Hinted, Path, Place, Problem, Problems, show_path
from gateway.yaml_source.reader import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, load

__all__ = [
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_VALUES",
    "Document",
    "Hinted",
    "Path",
    "Place",
    "Problem",
    "Problems",
    "load",
    "nearest",
    "show_path",
    "validate",
]
