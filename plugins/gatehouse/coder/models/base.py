"""What all answers have in common: fields and values that this version does not know are no error."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator


class Answer(BaseModel):
    """An object in an answer. `null` for a field that has a default stands for the default.

    Coder's lists are `null` as often as they are empty, and times that are not set are those of year 1.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {name: value for name, value in data.items() if value is not None}
        return data


def _none_for_year_one(moment: datetime | None) -> datetime | None:
    return moment if moment and moment.year > 1 else None


#: A time, or None where the server has none to tell.
Moment = Annotated[datetime | None, AfterValidator(_none_for_year_one)]
