"""Outputs: whole or not at all, and refused before anything is read where they cannot be."""

from poise.output.files import OutputFile, OutputFolder, save_files, save_whole
from poise.output.refusals import (
    refuse_files,
    refuse_folder,
    refuse_homeless,
    refuse_source,
    refuse_taken,
    source_path,
    translated,
)

__all__ = [
    "OutputFile",
    "OutputFolder",
    "refuse_files",
    "refuse_folder",
    "refuse_homeless",
    "refuse_source",
    "refuse_taken",
    "save_files",
    "save_whole",
    "source_path",
    "translated",
]
