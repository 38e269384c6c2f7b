"""What a de-identified DICOM file may still say: an allow-list, and what happens to each tag on it.

A list of tags to remove lets through whatever it forgot: private tags, sequences, next year's
tags. So this is a list of tags to keep; every other one is removed. The actions are those of the
Basic Application Level Confidentiality Profile (DICOM PS3.15, table E.1-1) with the option Retain
Longitudinal Temporal Information with Modified Dates; the profile's own letters stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Action = Literal[
    "keep",  # K: says nothing about who it is
    "empty",  # Z: the standard wants the tag, so it stays without a value
    "remove",  # X: everything that is not listed below
    "remap uid",  # U: the same UID becomes the same other UID
    "shift date",  # C: by the same number of days for all of a patient's dates
    "pseudonym",  # Z, with a value that is consistent within the study
    "replace",  # D: what only the writer of this file can say
]

_EMPTY = (
    "AccessionNumber",
    "ContentTime",
    "PatientBirthDate",
    "PatientSex",
    "ReferringPhysicianName",
    "StudyID",
    "StudyTime",
)
_REMAP_UID = ("FrameOfReferenceUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
_SHIFT_DATE = ("AcquisitionDate", "ContentDate", "SeriesDate", "StudyDate")
_PSEUDONYM = ("PatientID", "PatientName")

_KEEP_PIXELS = (
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "HighBit",
    "LossyImageCompression",
    "LossyImageCompressionMethod",
    "LossyImageCompressionRatio",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "PixelAspectRatio",
    "PixelData",
    "PixelIntensityRelationship",
    "PixelIntensityRelationshipSign",
    "PixelPaddingRangeLimit",
    "PixelPaddingValue",
    "PixelRepresentation",
    "PlanarConfiguration",
    "PresentationIntentType",
    "PresentationLUTShape",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "Rows",
    "SamplesPerPixel",
    "SpecificCharacterSet",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
    # The lookup table from stored values to units; its items are cleaned by this same list.
    "ModalityLUTSequence",
    "LUTData",
    "LUTDescriptor",
    "ModalityLUTType",
    "VOILUTSequence",
    "BluePaletteColorLookupTableData",
    "BluePaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "RedPaletteColorLookupTableDescriptor",
    # What holds for each frame of several: sequences, whose items are cleaned likewise.
    "FrameVOILUTSequence",
    "PerFrameFunctionalGroupsSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "SharedFunctionalGroupsSequence",
)
_KEEP_GEOMETRY = (
    "EstimatedRadiographicMagnificationFactor",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "ImagerPixelSpacing",
    "PatientOrientation",
    "PatientPosition",
    "PixelSpacing",
    "SliceLocation",
    "SliceThickness",
    "SpacingBetweenSlices",
)
_KEEP_ACQUISITION = (
    "AcquisitionNumber",
    "BodyPartExamined",
    "BurnedInAnnotation",
    "ConvolutionKernel",
    "DataCollectionDiameter",
    "EchoTime",
    "Exposure",
    "ExposureTime",
    "FlipAngle",
    "GantryDetectorTilt",
    "ImageLaterality",
    "ImageType",
    "InstanceNumber",
    "KVP",
    "Laterality",
    "MRAcquisitionType",
    "MagneticFieldStrength",
    "Manufacturer",
    "ManufacturerModelName",
    "Modality",
    "NumberOfTemporalPositions",
    "ReconstructionDiameter",
    "RecognizableVisualFeatures",
    "RepetitionTime",
    "SOPClassUID",
    "ScanOptions",
    "ScanningSequence",
    "SequenceVariant",
    "SeriesNumber",
    "TemporalPositionIdentifier",
    "ViewPosition",
    "XRayTubeCurrent",
)

ACTIONS: Mapping[str, Action] = {
    **dict.fromkeys(_EMPTY, "empty"),
    **dict.fromkeys(_REMAP_UID, "remap uid"),
    **dict.fromkeys(_SHIFT_DATE, "shift date"),
    **dict.fromkeys(_PSEUDONYM, "pseudonym"),
    **dict.fromkeys((*_KEEP_PIXELS, *_KEEP_GEOMETRY, *_KEEP_ACQUISITION), "keep"),
}

# Modalities whose pictures usually carry the patient's name in their pixels, and why it is not
# enough that BurnedInAnnotation says NO: the tag is often filled by habit.
BURNS_TEXT_IN: Mapping[str, str] = {
    "DOC": "document",
    "ES": "endoscopy",
    "GM": "general microscopy",
    "IVUS": "intravascular ultrasound",
    "OP": "ophthalmic photography",
    "OT": "other",
    "SC": "secondary capture",
    "US": "ultrasound",
    "XC": "external-camera photography",
}
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # the SOP class, and the beginning of its kin

METHOD = "Oncotrail allow-list after DICOM PS3.15 Basic Profile"
METHOD_CODES = (  # PS3.16 CID 7050
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
)
