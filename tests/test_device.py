import pytest

torch = pytest.importorskip("torch")

from cs_caption.device import pick_device  # noqa: E402


def have(monkeypatch, cuda: int, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(2, True, "cuda"), (0, True, "mps"), (0, False, "cpu")]
)
def test_auto_takes_the_best_that_is_there(monkeypatch, cuda, mps, expected):
    have(monkeypatch, cuda, mps)
    assert pick_device("auto") == torch.device(expected)


def test_a_named_device_is_taken_where_it_is_there(monkeypatch):
    have(monkeypatch, 2, True)
    for name in ("cpu", "cuda", "cuda:1", "mps"):
        assert pick_device(name) == torch.device(name)
    assert pick_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "mps", "cuda:0"])
def test_a_device_that_is_not_there_is_refused_with_the_remedy(monkeypatch, name):
    have(monkeypatch, 0, False)
    with pytest.raises(ValueError, match=f"'{name}' is not here.*use 'cpu' or 'auto'"):
        pick_device(name)


def test_a_card_beyond_the_last_is_refused(monkeypatch):
    have(monkeypatch, 2, False)
    with pytest.raises(ValueError, match="'cuda:2' is not here"):
        pick_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "cpu:1", "auto:0"])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match="is not known: use one of auto, cpu, cuda, mps"):
        pick_device(name)
