"""Speaks as `benchmarks/peers/flair_worker.py` does, without flair: a name is wherever the token is 가."""

import json
import sys

sentences: list[dict] = []
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "load":
        sentences = request["sentences"]
        answer = {"flair": "of the test", "parameters": request["embedding_size"] + request["hidden_size"]}
    elif request["do"] == "train":
        answer = {"seconds": 2.0, "loss": 1.0}
    elif not request["numbers"]:
        sys.exit(3)
    elif max(request["numbers"]) >= len(sentences):
        answer = {"error": "IndexError: there are not so many"}
    else:
        tokens = [sentences[number]["tokens"] for number in request["numbers"]]
        names = [[[at, at + 1, "PS"] for at, token in enumerate(row) if token == "가"] for row in tokens]
        answer = {"seconds": 0.25 * request["batch_size"], "names": names}
    print(json.dumps(answer, ensure_ascii=False), flush=True)
