"""A few marked sentences, and files of such."""

from pathlib import Path

LABELS = ["B-PS", "I-PS", "B-LC", "I-LC", "O"]

TRAIN_LINES = [
    "<손흥민:PS>은 <춘천:LC>에서 태어났다.",
    "<김민재:PS>가 <서울:LC>로 돌아왔습니다.",
    "어제 <이강인:PS>을 <부산:LC>에서 만났어요.",
    "<제주:LC>의 봄은 따뜻하다.",
    "<황희찬:PS>과 <김민재:PS>는 친구다.",
    "비가 와서 집에 있었다.",
    "<서울:LC>에서 <부산:LC>까지 걸어갔다.",
    "<이강인:PS>의 고향은 <인천:LC>이다.",
]
VALIDATION_LINES = ["<손흥민:PS>이 <서울:LC>에서 <김민재:PS>를 만났다.", "<부산:LC>은 따뜻하다.", "비가 왔다."]


def write_splits(folder: Path, **splits: list[str]) -> Path:
    """Write the lines of each split into a file of its name, and return the folder."""
    folder.mkdir(exist_ok=True)
    for name, lines in splits.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
