"""Microsoft Graph's synchronization schema: read into a configuration, and written from one again.

Source: Microsoft Graph, resource types "synchronizationSchema", "objectMapping", "attributeMapping",
"attributeMappingSource" and "filter".
"""

from pipeline.configuration.graph_schema.exporting import export_schema
from pipeline.configuration.graph_schema.importing import interpret
from pipeline.configuration.graph_schema.model import Imported, SchemaInvalid
from pipeline.configuration.graph_schema.yaml_text import Made, configuration_text

__all__ = ["Imported", "Made", "SchemaInvalid", "configuration_text", "export_schema", "interpret"]
