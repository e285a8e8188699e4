"""Code part values of IFS become tags of Airbase; IFS is master.

Rule: a code part is the label that the table maps to it, the first one of several; a part without a label stays out.
Must not know: property or field names of either API.
"""

from collections.abc import Mapping

import msgspec

from ml_connector.flows.chart import use
from ml_connector.records import keys
from ml_connector.records.ledger import Dimension
from ml_connector.records.spend_chart import ChartTag
from ml_connector.sync.flow import Context, End, Flow, Keys, Setting, Tables
from ml_connector.sync.outcome import Held, Mapped


def labels(dimensions: Mapping[str, str]) -> dict[str, str]:
    """The label of each code part, from a table of label to code part."""
    return {part: label for label, part in sorted(dimensions.items(), reverse=True)}


def map_dimension(dimension: Dimension, context: Context) -> Mapped[ChartTag] | Held:
    """The tag that Airbase should have today; one that nobody may use need not be made."""
    label = labels(context.tables.dimensions).get(dimension.part)
    if label is None:
        return _unlabelled(dimension)
    used = use(dimension.terms, context)
    wanted = ChartTag(label, dimension.value, used.name or dimension.value, used.active, used.subsidiaries)
    return Mapped(wanted, active=used.active, due=used.active, wake_on=used.wake_on)


def retire(tag: ChartTag) -> ChartTag:
    """The tag once its value is gone from IFS."""
    return msgspec.structs.replace(tag, active=False)


def by_label(tables: Tables) -> Keys:
    """What IFS calls (code part, value) Airbase calls (label, reference)."""
    label_of = labels(tables.dimensions)
    part_of = {label: part for part, label in label_of.items()}
    return Keys(lambda key: _turned(key, label_of), lambda key: _turned(key, part_of))


def _turned(key: str, names: Mapping[str, str]) -> str:
    """A key with its first part under the other name; "" when it has none."""
    first, *rest = keys.split(key)
    return keys.join([names[first], *rest]) if first in names else ""


def _unlabelled(dimension: Dimension) -> Held:
    """Why a value waits whose code part had a label once; of one that never had, nobody hears."""
    return Held(
        "dimension_not_mapped",
        f"Value {dimension.value} of code part {dimension.part} is a tag in Airbase, but no label stands for its "
        "code part any more.",
        f'Add the label to [mapping.dimensions] of the connection, such as department = "{dimension.part}".',
        idle=True,
        lacks=dimension.part,
    )


DIMENSIONS = Flow(
    name="dimensions",
    title="Code parts to Airbase tags",
    source=End("ifs", "dimensions"),
    target=End("airbase", "tags"),
    source_kind=Dimension,
    target_kind=ChartTag,
    map=map_dimension,
    retire=retire,
    setting=Setting(("writable",), ("tags",), listed=True),
    heeds=(("mapping", "dimensions"),),
    keys=by_label,
)
