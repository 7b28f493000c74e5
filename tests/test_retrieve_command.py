"""`python -m cs_caption retrieve`, as a person and as a program meet it."""

import io
import json
import sys
from html import unescape

import numpy as np
import pytest
from PIL import Image

from cs_caption.__main__ import main
from cs_caption.data import Scenes, Vocabulary
from cs_caption.metrics import ranks
from cs_caption.metrics.oracle import fits

torch = pytest.importorskip("torch")

N = 24
SENTENCE = "a red star above a blue square"
SHAPE = {"channels": (8, 8, 8), "word_dim": 8, "hidden": 8, "joint": 8}


def save_ranker(folder, level="rich", **shape):
    """A small ranker that has not learnt anything: its scores are as good as random."""
    from cs_caption.checkpoint import save_captioner
    from cs_caption.models.ranking import Ranker, RankerConfig

    torch.manual_seed(0)
    words = Vocabulary.build(Scenes("train", n=200, level=level).captions)
    model = Ranker(RankerConfig(vocab_size=len(words), **{**SHAPE, **shape}))
    with torch.no_grad():
        model.embedding.weight *= 30  # so that words differ in what they look for
    info = {"level": level, "data": f"200 {level} scenes"}
    return save_captioner(folder, model, words, info)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_ranker(tmp_path_factory.mktemp("ranker") / "model")


@pytest.fixture(scope="module")
def scenes():
    return Scenes("val", n=N, level="rich")


@pytest.fixture
def pictures(tmp_path, scenes):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k, image in enumerate(scenes.images[:6]):
        Image.fromarray(image).save(folder / f"{k}.png")
    return folder


def retrieve(model, *words):
    return main(["retrieve", "--model", str(model), "--device", "cpu", *map(str, words)])


def found(model, capsys, *words, scenes=True):
    """The records of --json."""
    searched = ("--scenes", N) if scenes else ()
    capsys.readouterr()
    assert retrieve(model, "--json", *searched, *words) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def every_score(model, images, sentences):
    """v (N, L, D), and for each sentence s (T, D), by the model alone."""
    from cs_caption.checkpoint import load_ranker

    ranker = load_ranker(model, "cpu")
    with torch.no_grad():
        v = ranker.model.regions(images)
        encoded = [torch.tensor([ranker.vocabulary.encode(one)[1:-1]]) for one in sentences]
        return v, [ranker.model.words(tokens)[0] for tokens in encoded]


def test_each_sentence_gets_its_top_pictures_the_best_first(model, scenes, capsys):
    one, two = found(model, capsys, SENTENCE, "two green rings", "--top", 7)
    assert [one["sentence"], two["sentence"]] == [SENTENCE, "two green rings"]
    v, s = every_score(model, scenes.images, [SENTENCE, "two green rings"])
    for record, words in zip((one, two), s, strict=True):
        scores = (v @ words.T).amax(dim=1).sum(dim=1)
        best = scores.argsort(descending=True)[:7].tolist()
        assert record["searched"] == N
        assert [hit["picture"] for hit in record["pictures"]] == [scenes.ids[i] for i in best]
        assert [hit["rank"] for hit in record["pictures"]] == list(range(1, 8))
        got = [hit["score"] for hit in record["pictures"]]
        np.testing.assert_allclose(got, scores[best], atol=1e-4)


def test_each_word_is_told_with_its_region_and_its_score(model, scenes, capsys):
    (record,) = found(model, capsys, SENTENCE, "--top", 3)
    v, (s,) = every_score(model, scenes.images, [SENTENCE])
    for hit in record["pictures"]:
        each = v[scenes.ids.index(hit["picture"])] @ s.T
        regions = [8 * (word["row"] - 1) + word["column"] - 1 for word in hit["words"]]
        assert [word["word"] for word in hit["words"]] == SENTENCE.split()
        assert regions == each.argmax(dim=0).tolist()
        np.testing.assert_allclose([w["score"] for w in hit["words"]], each.amax(0), atol=1e-5)
        assert sum(word["score"] for word in hit["words"]) == pytest.approx(hit["score"], abs=1e-4)


def test_smoothing_lets_words_share_a_region_and_leaves_the_order(model, capsys):
    (plain,), (smooth,) = (
        found(model, capsys, SENTENCE, "--smooth", beta) for beta in ("0", "1000")
    )
    for one, other in zip(plain["pictures"], smooth["pictures"], strict=True):
        assert (one["picture"], one["score"]) == (other["picture"], other["score"])
        assert regions(other) == {min(regions(other))}
    assert max(len(regions(one)) for one in plain["pictures"]) > 1


def regions(hit):
    return {(word["row"], word["column"]) for word in hit["words"]}


@pytest.mark.parametrize("sentence", ["a square", "a zebra on a square", "a nice picture"])
def test_what_is_found_is_marked_by_the_truth(model, scenes, capsys, sentence):
    (record,) = found(model, capsys, sentence, "--top", N)
    truth = {scene.id: fits(sentence, scene) for scene in scenes}
    meant = {True: "fits", False: "wrong", None: None}
    for hit in record["pictures"]:
        assert hit["mark"] == meant[truth[hit["picture"]]]
    known = None not in truth.values()
    assert record["fitting"] == (sum(truth.values()) if known else None)


def test_a_person_reads_marks_as_signs_and_words_and_places_in_words(model, capsys):
    assert retrieve(model, "a square", "--scenes", N, "--top", N) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == '"a square"'
    assert any("≈" in line and "fits the words" in line for line in lines[1 : N + 1])
    assert any("✗" in line and "does not fit the words" in line for line in lines[1 : N + 1])
    fitting = sum("≈" in line for line in lines)
    assert lines[N + 1] == f"  of the {N} pictures {fitting} fit the words"
    assert lines[N + 2].startswith("  What each word found in rich-val-0-0")
    for line, word in zip(lines[N + 3 : N + 5], ("a", "square"), strict=True):
        score, name, _, row, _, column, *place = line.split()
        assert name == word
        float(score)
        assert 1 <= int(row.rstrip(",")) <= 8
        assert 1 <= int(column) <= 8
        assert " ".join(place).strip("()").split()[0] in ("upper", "middle", "lower")
    assert "\x1b" not in said.out  # no colours
    assert said.err == ""


def test_case_and_punctuation_do_not_matter(model, capsys):
    plain = found(model, capsys, SENTENCE)
    assert found(model, capsys, "  A red star, above a BLUE square! ") == plain


def test_words_that_the_model_does_not_know_are_named(model, capsys):
    assert retrieve(model, "a zebra on a unicycle", SENTENCE, "--scenes", N, "--json") == 0
    said = capsys.readouterr()
    assert "does not know 'zebra', 'unicycle': they count as <UNK>" in said.err
    assert said.err.count("note:") == 1
    records = [json.loads(line) for line in said.out.splitlines()]
    assert [record["unknown"] for record in records] == [["zebra", "unicycle"], []]
    assert retrieve(model, "a zebra on a zebra", "--scenes", N) == 0
    assert "does not know 'zebra': it counts as <UNK>" in capsys.readouterr().err


def test_a_sentence_of_unknown_words_alone_is_refused(model, capsys):
    assert retrieve(model, SENTENCE, "zebras juggle", "--scenes", N) == 2
    said = capsys.readouterr()
    assert "zebras juggle" in said.err
    assert said.out == ""


def test_the_scenes_are_of_the_level_that_the_model_was_trained_on(tmp_path, model, capsys):
    simple = save_ranker(tmp_path / "simple", level="simple")
    (record,) = found(simple, capsys, "a red star", "--split", "test")
    assert record["pictures"][0]["picture"].startswith("simple-test-0-")
    (record,) = found(model, capsys, "a red star", "--level", "simple")
    assert record["pictures"][0]["picture"].startswith("simple-val-0-")


def test_a_model_of_pooled_features_has_one_region(tmp_path, capsys):
    pooled = save_ranker(tmp_path / "pooled", features="pooled")
    (record,) = found(pooled, capsys, SENTENCE)
    places = {(w["row"], w["column"], w["place"]) for w in record["pictures"][0]["words"]}
    assert places == {(1, 1, "the whole picture")}
    assert retrieve(pooled, SENTENCE, "--scenes", N) == 0
    assert "the whole picture" in capsys.readouterr().out


def test_the_model_that_comes_with_the_package_is_taken_where_none_is_named(capsys):
    assert main(["retrieve", SENTENCE, "--scenes", str(N)]) == 0
    said = capsys.readouterr()
    assert "rich-val-0-0" in said.out
    assert said.err == ""


# Pictures of one's own.


def test_pictures_and_folders_of_them_are_searched(model, pictures, scenes, capsys):
    alone = pictures / "3.png"
    words = (SENTENCE, "--pictures", pictures, alone, "--top", 7)
    (record,) = found(model, capsys, *words, scenes=False)
    names = [str(pictures / f"{k}.png") for k in range(6)]
    assert sorted(hit["picture"] for hit in record["pictures"]) == sorted([*names, str(alone)])
    v, (s,) = every_score(model, scenes.images[:6], [SENTENCE])
    scores = dict(zip(names, (v @ s.T).amax(dim=1).sum(dim=1).tolist(), strict=True))
    for hit in record["pictures"]:
        assert hit["score"] == pytest.approx(scores[hit["picture"]], abs=1e-4)
        assert hit["mark"] is None
    assert record["fitting"] is None


def test_of_fewer_pictures_than_are_shown_by_default_all_are_shown(model, pictures, capsys):
    few = [pictures / "0.png", pictures / "1.png"]
    (record,) = found(model, capsys, SENTENCE, "--pictures", *few, scenes=False)
    assert len(record["pictures"]) == 2
    capsys.readouterr()
    assert retrieve(model, SENTENCE, "--pictures", *few) == 0
    out = capsys.readouterr().out
    assert not any(mark in out for mark in "≈✗✓◯")
    assert "whether they fit the words is not known" in out


def test_pictures_that_cannot_be_read_are_reported_and_passed_over(model, pictures, capsys):
    (pictures / "broken.png").write_text("no picture")
    gone = pictures / "gone.png"
    assert retrieve(model, SENTENCE, "--pictures", pictures, gone, "--top", 8) == 1
    said = capsys.readouterr()
    assert "broken.png" in said.err
    assert f"there is no file {gone}" in said.err
    assert "2 of 8 pictures could not be read" in said.err
    assert sum(".png" in line and "What" not in line for line in said.out.splitlines()) == 6


def test_where_no_picture_can_be_read_nothing_is_done(model, tmp_path, capsys):
    page = tmp_path / "page.html"
    words = ("--page", page, "--pictures", tmp_path / "a.png", tmp_path / "b.png")
    assert retrieve(model, SENTENCE, *words) == 2
    said = capsys.readouterr()
    assert "no picture could be read" in said.err
    assert said.out == ""
    assert not page.exists()


def test_many_pictures_are_opened_in_blocks_and_progress_is_said_apart(
    model, pictures, capsys, monkeypatch
):
    words = (SENTENCE, "--pictures", pictures, "--top", 6)
    whole = found(model, capsys, *words, scenes=False)
    (pictures / "2.5.png").write_text("broken, so that blocks differ in size")
    monkeypatch.setattr("cs_caption.commands.album.BLOCK", 3)
    monkeypatch.setattr("cs_caption.commands.album.PATIENCE", 6)
    assert retrieve(model, "--json", *words) == 1
    said = capsys.readouterr()
    assert [
        (hit["picture"], pytest.approx(hit["score"], abs=1e-5)) for hit in whole[0]["pictures"]
    ] == [(hit["picture"], hit["score"]) for hit in json.loads(said.out)["pictures"]]
    progress = [line for line in said.err.splitlines() if line.startswith("looked at")]
    assert progress == [f"looked at {done} of 7 pictures" for done in (3, 6, 7)]


# Examples: sentences of the scenes themselves.


def test_without_a_sentence_the_scenes_own_are_looked_for(model, scenes, capsys, tmp_path):
    page = tmp_path / "page.html"
    records = found(model, capsys, "--examples", 6, "--top", 12, "--page", page)
    queries = [record for record in records if "searched" in record]
    assert len(queries) == 6
    own = [4 * k for k in range(6)]
    said = [scenes.captions[i][k % 5] for k, i in enumerate(own)]
    assert [query["sentence"] for query in queries] == said
    v, s = every_score(model, scenes.images, said)
    scores = np.stack([(v @ words.T).amax(dim=1).sum(dim=1).numpy() for words in s])
    for query, rank, i in zip(queries, ranks(scores, own), own, strict=True):
        marks = {hit["picture"]: hit["mark"] for hit in query["pictures"]}
        if rank <= 12:
            assert query["missed"] is None
            assert query["pictures"][rank - 1]["picture"] == scenes.ids[i]
        else:
            assert query["missed"]["picture"] == scenes.ids[i]
            assert query["missed"]["rank"] == rank
            assert query["missed"]["words"]
        for name, mark in marks.items():
            fit = {True: "fits", False: "wrong", None: None}[
                fits(query["sentence"], scenes[scenes.ids.index(name)])
            ]
            assert mark == ("own" if name == scenes.ids[i] else fit)
    assert {query["missed"] is None for query in queries} == {True, False}


def test_examples_tell_the_top_sentences_of_some_scenes_too(model, scenes, capsys, tmp_path):
    page = tmp_path / "page.html"
    records = found(model, capsys, "--examples", 6, "--top", 2, "--page", page)
    told = [record for record in records if "sentences" in record]
    assert [record["picture"] for record in told] == [scenes.ids[i] for i in (0, 4, 8, 12)]
    texts = [text for some in scenes.captions for text in some]
    v, s = every_score(model, scenes.images, texts)
    for record, i in zip(told, (0, 4, 8, 12), strict=True):
        scores = np.array([float((v[i] @ words.T).amax(dim=0).sum()) for words in s])
        best = np.argsort(-scores, kind="stable")
        got = [one["sentence"] for one in record["sentences"]]
        assert got == [texts[m] for m in best[:2]]
        for one in record["sentences"]:
            is_own = one["sentence"] in scenes.captions[i]
            fit = {True: "fits", False: "wrong", None: None}[fits(one["sentence"], scenes[i])]
            assert one["mark"] == ("own" if is_own else fit)
        first = next(k for k, m in enumerate(best) if m // 5 == i)
        missed = record["missed"]
        assert (first < 2) == (missed is None)
        if missed:
            assert (missed["sentence"], missed["rank"]) == (texts[best[first]], first + 1)
            assert missed["score"] == pytest.approx(scores[best[first]], abs=1e-4)


def test_examples_are_written_to_a_page_whether_asked_for_or_not(
    model, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert retrieve(model, "--scenes", N, "--examples", 2, "--top", 2) == 0
    said = capsys.readouterr().out
    assert "The page to look at: retrieval.html" in said
    assert "◯" in said
    html = unescape((tmp_path / "retrieval.html").read_text("utf-8"))
    for line in said.splitlines():
        if line.startswith('"'):
            assert line.strip('"') in html
    assert "Scenes('val', n=24, level='rich', seed=0)" in html
    assert "which learnt from 200 rich scenes" in html


# The page.


def test_a_page_shows_what_was_found(model, capsys, tmp_path):
    page = tmp_path / "page.html"
    (record,) = found(model, capsys, SENTENCE, "--page", page, "--smooth", "0.5")
    html = unescape(page.read_text("utf-8"))
    for text in (SENTENCE, "24 pictures drawn as Scenes(", "gain 0.5 by sharing a region"):
        assert text in html
    for hit in record["pictures"]:
        assert hit["picture"] in html


def test_a_page_says_what_could_not_be_found_by_anyone(model, scenes, tmp_path):
    page, nowhere = tmp_path / "page.html", "five red stars"
    assert not any(fits(nowhere, scene) for scene in scenes)
    assert retrieve(model, "a square", nowhere, "--scenes", N, "--page", page) == 0
    assert f"None of them fits “{nowhere}”." in unescape(page.read_text("utf-8"))


def test_lines_of_json_are_not_mixed_with_others(model, capsys, tmp_path):
    words = (SENTENCE, "--scenes", N, "--json", "--page", tmp_path / "page.html")
    assert retrieve(model, *words) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    json.loads(said.out)
    assert "The page to look at:" in said.err


def test_a_page_of_ones_own_pictures_says_so(model, pictures, tmp_path):
    page = tmp_path / "page.html"
    assert retrieve(model, SENTENCE, "--page", page, "--pictures", pictures) == 0
    assert "6 pictures of your own" in page.read_text("utf-8")


# What cannot be.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("",), "'' has no word in it"),
        ((SENTENCE, " ?! "), "has no word in it"),
        ((SENTENCE, "--top", "0"), "--top 0: give 1 to 24"),
        ((SENTENCE, "--top", "25"), "--top 25: give 1 to 24"),
        (("--examples", "25"), "--examples 25: give 1 to 24"),
        (("--examples", "0"), "--examples 0"),
        ((SENTENCE, "--examples", "2"), "--examples is for a call without a sentence"),
        ((SENTENCE, "--smooth", "-1"), "--smooth -1.0: give 0 or more"),
        ((SENTENCE, "--smooth", "nan"), "--smooth nan"),
        ((SENTENCE, "--page", "."), "--page . is a folder"),
        ((SENTENCE, "--page", "nowhere/a.html"), "there is no folder nowhere"),
        ((SENTENCE, "--page", "a.png"), "named like a picture"),
        ((SENTENCE, "--pictures", "a.png"), "--scenes is about the built-in scenes"),
        (("--pictures", "a.png"), "--pictures without a sentence"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(tmp_path, capsys, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    # The folder of the model is not there: who looks at it first says that instead.
    assert retrieve(tmp_path / "none", "--scenes", N, *words) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_too_many_pictures_is_refused(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("cs_caption.commands.retrieve.MOST_SHOWN", 9)
    page = tmp_path / "page.html"
    words = ("a star", "a square", "--scenes", N)
    assert retrieve(tmp_path / "none", *words, "--page", page) == 2
    assert "9 pictures at most, and these are 10" in capsys.readouterr().err
    assert retrieve(tmp_path / "none", "--scenes", N, "--examples", 2) == 2
    assert "9 pictures at most, and these are 10" in capsys.readouterr().err
    assert retrieve(model, *words) == 0


@pytest.mark.parametrize("number", ["0", "-3", "1000000"])
def test_a_number_of_scenes_that_cannot_be_searched_is_refused(tmp_path, capsys, number):
    assert retrieve(tmp_path / "none", SENTENCE, "--scenes", number) == 2
    assert "give 1 to 15,000 at a time" in capsys.readouterr().err


def test_flags_of_the_scenes_mean_nothing_for_pictures(tmp_path, pictures, capsys):
    for flag, value in (("--split", "test"), ("--level", "rich"), ("--scenes", 3)):
        assert retrieve(tmp_path / "none", SENTENCE, flag, value, "--pictures", pictures) == 2
        assert f"{flag} is about the built-in scenes" in capsys.readouterr().err
    assert retrieve(tmp_path / "none", SENTENCE, "--top", 7, "--pictures", pictures) == 2
    assert "--top 7: give 1 to 6" in capsys.readouterr().err


def test_a_folder_that_holds_no_ranking_model_is_told(tmp_path, capsys):
    from cs_caption.ready_made import folder_of

    assert retrieve(folder_of("rich"), SENTENCE) == 2
    assert "holds a captioner" in capsys.readouterr().err
    assert retrieve(tmp_path / "none", SENTENCE) == 2
    assert "train a ranker first" in capsys.readouterr().err


def test_a_terminal_without_the_signs_still_gets_the_words(model, monkeypatch):
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert retrieve(model, "a square", "--scenes", N, "--top", N) == 0
    narrow.flush()
    said = narrow.buffer.getvalue().decode("ascii")
    assert "does not fit the words" in said
