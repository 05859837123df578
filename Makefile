PYTHON ?= python3
BIN := .venv/bin
# every room says that it is typed; the front door is no room: it is `malmoi` itself
ROOMS := $(filter-out front_door,$(patsubst %/py.typed,%,$(wildcard */py.typed)))
# spinning threads make the tiny steps of tests and demo many times slower
export OMP_NUM_THREADS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo models test test-quick test-thorough test-all check docs layout bench format lexicon lock clean

help: ## Show what can be made.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 15

setup: .venv/installed ## Create .venv with the pinned set of packages.

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14) and "malmoi needs Python 3.10 to 3.14, but $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	@echo "Installing into .venv (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' \
		> .venv/install.log 2>&1 || { tail -n 30 .venv/install.log; exit 1; }
	@touch $@

# a sentence of your own: make demo TEXT="..."
TEXT ?=
export TEXT
SENTENCES = if [ -n "$$TEXT" ]; then set -- "$$TEXT"; else set -- $(1); fi;
# what is trained on is the model of the package: 60 sentences are enough to see it learn
BODY := bundled:named-entities

demo: setup ## Show the models of the package, on TEXT="..." if given; then train one on, save it, load it without malmoi: about two minutes.
	@printf 'The models of the package, without any training of yours. Names:\n'
	@$(call SENTENCES,"손흥민은 1992년 7월 8일 춘천에서 태어났다." "SK하이닉스는 경기도 이천에 본사를 두고 있다.") $(BIN)/malmoi tag $(BODY) "$$@"
	@printf '\nSpaces:\n'
	@$(call SENTENCES,"오늘은날씨가좋아서공원에갔다.") $(BIN)/malmoi space bundled:word-spacing "$$@"
	@printf '\nSentiment:\n'
	@$(call SENTENCES,"다시 보고 싶은 영화였어요." "돈과 시간이 아까웠다.") $(BIN)/malmoi classify bundled:sentence-classification "$$@"
	@printf '\nTraining on from the first one, with 60 sentences of the sample corpus:\n'
	@$(BIN)/malmoi train demo --overwrite true --model_name_or_path $(BODY) --train_fraction $(SHARE_OF_DEMO)
	@printf '\nThe same folder in a fresh process in which malmoi cannot be imported:\n'
	@$(BIN)/python examples/load_without_malmoi.py runs/demo
	@printf '\nNext: your own sentences, or real data.\n'
	@printf '  $(BIN)/malmoi tag "내일 오전 10시에 대전에서 만나요."\n'
	@printf '  $(BIN)/malmoi train klue-ner-bi-lstm-crf --data_dir DIR      (see README.md)\n'

# 60 of its 440 sentences
SHARE_OF_DEMO := 0.1364

# all continue the language model; a finished run stays as it is, an interrupted one goes on
FLAGS ?=
MODEL_RUNS := runs/models
MODEL_DATA := build/models/named-entities-2/klue-ner-v1.1_train.tsv
trained_here = --output_dir $(@D) $(FLAGS) $(if $(wildcard $(@D)/checkpoint-*),--resume_from_checkpoint true)
CONTINUED := --model_name_or_path bundled:language-model
models: setup $(foreach name,named-entities word-spacing sentence-classification,$(MODEL_RUNS)/$(name)/report.json) ## Train the models of the package anew: make models DATA=DIR FLAGS='--bf16 true --use_cpu true' (eight hours; FLAGS are those of malmoi train).
	$(BIN)/malmoi evaluate $(MODEL_RUNS)/named-entities --data_dir build/models/named-entities-2 --fit_temperature
	$(BIN)/python -m malmoi.hub_cards.bundle $(MODEL_RUNS)/named-entities --corpus klue-ner-and-sample
	$(BIN)/python -m malmoi.hub_cards.bundled_reliability named-entities --data_dir build/models/named-entities-2 --corpus klue-ner-and-sample
	$(BIN)/python -m malmoi.hub_cards.bundle $(MODEL_RUNS)/word-spacing --corpus open-spacing
	$(BIN)/malmoi evaluate $(MODEL_RUNS)/sentence-classification --data_dir $(DATA)/nsmc --fit_temperature
	$(BIN)/python -m malmoi.hub_cards.bundle $(MODEL_RUNS)/sentence-classification --corpus nsmc-from-body
	$(BIN)/python -m malmoi.hub_cards.bundled_reliability sentence-classification --data_dir $(DATA)/nsmc --corpus nsmc-from-body

$(MODEL_DATA): | setup
	@test -n "$(DATA)" || { echo 'make models DATA=DIR: DIR holds the folders text, klue-ner, spacing, spacing-everyday, nsmc.'; exit 1; }
	$(BIN)/python -m malmoi.hub_cards.model_data $(DATA) build/models

$(MODEL_RUNS)/language-model/report.json: | $(MODEL_DATA)
	$(BIN)/malmoi train korean-language-model --data_dir build/models/texts $(trained_here)
	$(BIN)/python -m malmoi.hub_cards.bundle $(MODEL_RUNS)/language-model --corpus open-korean-texts

# the doubtful sentences are learned as what they are
UNLABELLED := --silver_confidence 0 --silver_text build/models/named-entities-unlabelled
FIRST_TAGGER := $(MODEL_RUNS)/named-entities-first-student
$(FIRST_TAGGER)/report.json: $(MODEL_RUNS)/language-model/report.json
	$(BIN)/malmoi self-train klue-ner-from-body --data_dir build/models/named-entities $(CONTINUED) \
		--embeddings_learning_rate 2e-4 --num_train_epochs 6 $(UNLABELLED).txt $(FLAGS) --output_dir $(@D) \
		--resume_from_checkpoint true

# more sentences have marks now; the second student goes on from the first, as one of its teachers does
NAMES := klue-ner-from-body --data_dir build/models/named-entities-2 --name_replacement_copies 1 --num_train_epochs 4
FROM_FIRST := --model_name_or_path $(FIRST_TAGGER) --learning_rate 1e-3 --embeddings_learning_rate 1e-4
TAGGER := $(MODEL_RUNS)/named-entities-seed
$(TAGGER)-4/report.json: $(MODEL_RUNS)/language-model/report.json
	$(BIN)/malmoi train $(NAMES) $(CONTINUED) --embeddings_learning_rate 2e-4 --seed 4 $(trained_here)

$(TAGGER)-6/report.json: $(FIRST_TAGGER)/report.json
	$(BIN)/malmoi train $(NAMES) $(FROM_FIRST) --seed 6 $(trained_here)

$(MODEL_RUNS)/named-entities/report.json: $(TAGGER)-4/report.json $(TAGGER)-6/report.json
	$(BIN)/malmoi train $(NAMES) $(FROM_FIRST) --seed 2 $(UNLABELLED)-2.txt $(trained_here) \
		--silver_teachers $(TAGGER)-4,$(TAGGER)-6

# both students learn the labelled sentences as they are, and as their teachers see them
SPACING := spacing-from-body --data_dir build/models/spacing $(CONTINUED) --silver_text build/models/spacing/train.txt \
	--silver_training_texts true --silver_confidence 0
FIRST_STUDENT := $(MODEL_RUNS)/word-spacing-first-student
$(FIRST_STUDENT)/report.json: $(MODEL_RUNS)/language-model/report.json
	$(BIN)/malmoi self-train $(SPACING) $(FLAGS) --output_dir $(@D) --resume_from_checkpoint true

TEACHER := $(FIRST_STUDENT)/teachers/seed
$(MODEL_RUNS)/word-spacing/report.json: $(FIRST_STUDENT)/report.json
	$(BIN)/malmoi train $(SPACING) --num_train_epochs 10 $(trained_here) \
		--silver_teachers $(FIRST_STUDENT),$(TEACHER)-1,$(TEACHER)-2,$(TEACHER)-3

# the doubtful ones are learned as what they are; the second student goes on from the first, with other reviews
REVIEWS := nsmc-from-body --data_dir $(DATA)/nsmc --silver_text build/models/texts/train-reviews.txt --silver_limit 300000 \
	--silver_training_texts true --silver_confidence 0
FIRST_CLASSIFIER := $(MODEL_RUNS)/sentence-classification-first-student
$(FIRST_CLASSIFIER)/report.json: $(MODEL_RUNS)/language-model/report.json
	$(BIN)/malmoi self-train $(REVIEWS) $(CONTINUED) $(FLAGS) --output_dir $(@D) --seeds 1 2 3 4 --resume_from_checkpoint true

# with their temperatures, the teachers are as sure as they are right
CLASSIFIERS := $(FIRST_CLASSIFIER) $(foreach seed,1 2 3 4,$(FIRST_CLASSIFIER)/teachers/seed-$(seed))
comma := ,
$(MODEL_RUNS)/sentence-classification/report.json: $(FIRST_CLASSIFIER)/report.json
	@for model in $(CLASSIFIERS); do $(BIN)/malmoi evaluate $$model --data_dir $(DATA)/nsmc --fit_temperature || exit; done
	$(BIN)/malmoi train $(REVIEWS) --model_name_or_path $(FIRST_CLASSIFIER) --seed 2 --learning_rate 1e-3 --num_train_epochs 2 \
		$(trained_here) --silver_teachers $(subst $() ,$(comma),$(CLASSIFIERS))

# a file at a time, from the first to the last: what the tests of a file share is made once
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: setup ## Run the tests, the slow ones too, but for what takes longest: about ten minutes on two cores.
	@$(PYTEST) -m 'not engines and not long'

test-quick: setup ## Run the tests that take no time: two minutes on two cores.
	@$(PYTEST)

test-thorough: setup ## Run all tests, the properties on twenty times as many examples.
	@MALMOI_HYPOTHESIS=thorough $(PYTEST) -m 'not engines'

# they are larger than all the rest, and Spark needs Java
.venv/engines: .venv/installed
	@echo "Installing Ray and Spark into .venv (once; a few minutes) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[ray,spark]' \
		> .venv/engines.log 2>&1 || { tail -n 30 .venv/engines.log; exit 1; }
	@touch $@

test-all: setup .venv/engines ## Run all tests, measurements, searches, 515,000 fuzz cases, Ray and Spark too, as CI does: half an hour; needs Java.
	@$(PYTEST) -m 'not engines' --ignore tests/fuzz --durations 30
	@MALMOI_HYPOTHESIS=thorough $(PYTEST) -m 'not engines' tests/fuzz
	@MALMOI_ENGINES_REQUIRED=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest --quiet -m engines

# the sources under their import name, as tools look for them that read them
layout:
	@rm -rf build/mypy/malmoi && mkdir -p build/mypy/malmoi
	@ln -sfn ../../../front_door/__init__.py build/mypy/malmoi/__init__.py
	@for room in $(ROOMS); do ln -sfn ../../../$$room build/mypy/malmoi/$${room#crf_}; done

docs: setup layout ## Build the site of the documentation in build/site; a dead link is an error.
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict > build/docs.log 2>&1 \
		|| { grep -v '^INFO' build/docs.log; exit 1; }
	@echo 'Look at it with: $(BIN)/python -m http.server --directory build/site'

check: setup layout ## Check format, style and types.
	@$(BIN)/ruff format --check --quiet . || (echo 'Run make format.'; exit 1)
	@$(BIN)/ruff check --quiet .
	@cd build/mypy && ../../$(BIN)/mypy --config-file ../../pyproject.toml --package malmoi

# folder with KLUE NER: make bench DATA=DIR
DATA ?=
BENCH_DATA = $(if $(DATA),--data_dir $(DATA))

bench: setup ## Measure speed beside peers: make bench DATA=DIR, or without DATA on the sample corpus.
	@$(MAKE) --no-print-directory .venv-flair/installed || echo 'Going on without flair.'
	@rm -f crf_kernels/__pycache__/crf_numba*.nb?  # numba does not notice every change
	@$(BIN)/python -m malmoi.benchmarks.crf
	@$(BIN)/python -m malmoi.benchmarks.training $(BENCH_DATA)
	@$(BIN)/python -m malmoi.benchmarks.inference $(BENCH_DATA)
	@$(BIN)/python -m malmoi.benchmarks.step $(BENCH_DATA)
	@$(BIN)/python -m malmoi.benchmarks.scaling $(BENCH_DATA)
	@$(BIN)/python -m malmoi.benchmarks.onnx $(BENCH_DATA)
	@$(BIN)/python -m malmoi.benchmarks.start_up
	@$(BIN)/python -m malmoi.benchmarks.service $(BENCH_DATA)
	@echo 'Tables as JSON, and plots: benchmarks/results/'

# flair needs an older transformers than ours
.venv-flair/installed: benchmarks/peers/flair-requirements.txt
	@echo "Installing flair, a peer in measurements, into .venv-flair (once; a few minutes) ..."
	@$(PYTHON) -m venv .venv-flair
	@.venv-flair/bin/python -m pip install --disable-pip-version-check --requirement $< \
		> .venv-flair/install.log 2>&1 || { tail -n 5 .venv-flair/install.log; rm -rf .venv-flair; exit 1; }
	@touch $@

format: setup ## Format the code and mend what can be mended.
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

# a data package, which is needed for this alone
MECAB_KO_DIC := 2.1.1.post2

lexicon: setup ## Make the bundled lexicon anew from mecab-ko-dic (a download of 34 MB).
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest build/lexicon \
		python-mecab-ko-dic==$(MECAB_KO_DIC)
	@$(BIN)/python -m malmoi.data.lexicons.build build/lexicon/python_mecab_ko_dic-$(MECAB_KO_DIC)-py3-none-any.whl

lock: setup ## Write constraints.txt anew.
	@$(BIN)/python -m pip install --quiet uv
	@echo 'torch==2.13.0' | $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --extra dev --extra ray \
		--extra spark --no-header --constraint - --output-file constraints.txt pyproject.toml

clean: ## Remove .venv and everything else that was made; runs/ is kept.
	@rm -rf .venv .venv-flair build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
