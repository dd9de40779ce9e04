from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from rag.answers import Answer


@given(st.builds(Answer, probability=st.none() | st.floats(0, 1)))
def test_an_answer_comes_back_from_json_as_it_was(answer: Answer) -> None:
    assert Answer.from_dict(answer.to_dict()) == answer
    assert Answer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
