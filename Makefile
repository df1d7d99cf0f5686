# The verbs of the project. Each works on a fresh clone: it first makes what it needs, and makes nothing twice.
#
# PYTHON=... chooses the interpreter of .venv (default python3), PYTHON2=... the CPython 2.7 that the Autobahn test suite
# needs. Everything made here is in .venv and build/.

SHELL  := /bin/bash
PYTHON ?= python3
PY     := .venv/bin/python
PIP    := $(PY) -m pip install --quiet --disable-pip-version-check
PYTEST := -m pytest
STAMPS := build/stamps
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)

# The folders too: their times change when a file goes.
NATIVE_SOURCES := CMakeLists.txt pyproject.toml cpp/exports.map cpp $(wildcard cpp/*/. cpp/*.?pp cpp/*/*.?pp)
TEST_SOURCES   := tests/cpp/CMakeLists.txt tests/cpp $(wildcard tests/cpp/*.?pp)
CORE_TESTS     := build/dev/fastws_core_tests

ASAN_RUNTIME = $(shell $(CXX) -print-file-name=libasan.so) $(shell $(CXX) -print-file-name=libstdc++.so)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help native venv dev core-tests demo chat test test-chat pictures lifecycle conformance conformance-short
.PHONY: asan tsan fuzz numbers release soak flood bench bench-json lint format clean

help:  ## show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-17s %s\n", $$1, $$2 }'

# -- What the verbs need ----------------------------------------------------------------------------------------------

native:  ## install the system packages that the build needs (says which)
	@PYTHON=$(PYTHON) scripts/install-native

$(STAMPS)/native: scripts/install-native
	@mkdir -p $(STAMPS)
	@PYTHON=$(PYTHON) scripts/install-native
	@touch $@

# What the tests start of other projects: real proxies.
$(STAMPS)/venv: scripts/make-venv pyproject.toml | $(STAMPS)/native
	@echo "fastws: making .venv with $(PYTHON)"
	@PYTHON=$(PYTHON) scripts/make-venv .venv
	@$(PY) scripts/requirements.py build test >build/requirements.txt
	@$(PIP) -r build/requirements.txt
	@touch $@

# What tests start beside the package: real servers of other projects.
$(STAMPS)/test-programs: scripts/install-native | $(STAMPS)/native
	@scripts/install-native tests
	@touch $@

$(STAMPS)/fuzz-tools: scripts/install-native | $(STAMPS)/native
	@scripts/install-native fuzz
	@touch $@

$(STAMPS)/node-peer: scripts/install-node-peer tests/integration/node/package.json $(STAMPS)/test-programs
	@scripts/install-node-peer
	@touch $@

$(STAMPS)/chat-tools: $(STAMPS)/venv
	@$(PY) scripts/requirements.py chat >build/requirements-chat.txt
	@$(PIP) -r build/requirements-chat.txt
	@touch $@

$(STAMPS)/browser: $(STAMPS)/chat-tools scripts/install-native
	@scripts/install-native browser
	@$(PY) scripts/requirements.py test-chat >build/requirements-test-chat.txt
	@$(PIP) -r build/requirements-test-chat.txt
	@touch $@

$(STAMPS)/old-kernel: scripts/install-old-kernel $(STAMPS)/venv
	@scripts/install-old-kernel
	@touch $@

$(STAMPS)/bench-tools: $(STAMPS)/venv
	@$(PY) scripts/requirements.py bench >build/requirements-bench.txt
	@$(PIP) -r build/requirements-bench.txt
	@touch $@

$(STAMPS)/lint-tools: $(STAMPS)/venv
	@$(PY) scripts/requirements.py lint >build/requirements-lint.txt
	@$(PIP) -r build/requirements-lint.txt
	@touch $@

$(STAMPS)/autobahn: scripts/make-autobahn tests/conformance/requirements.txt | $(STAMPS)/venv
	@PYTHON2=$(PYTHON2) scripts/make-autobahn
	@touch $@

venv: $(STAMPS)/venv  ## make .venv with everything that building and testing need

$(STAMPS)/dev: $(STAMPS)/venv $(NATIVE_SOURCES) tests/cpp/CMakeLists.txt
	@echo "fastws: building the extension (build/dev)"
	@$(PIP) --no-deps --no-build-isolation -e . -C build-dir=build/dev \
	  -C cmake.build-type=Dev -C cmake.define.FASTWS_TESTS=ON
	@touch $@

dev: $(STAMPS)/dev  ## build the extension and install the package editable; again after a change: seconds

# A glob is read again at every build, so new test files need no new configuration.
$(STAMPS)/core-tests: $(STAMPS)/dev $(TEST_SOURCES)
	@echo "fastws: building the C++ tests"
	@cmake --build build/dev --target fastws_core_tests >build/core-tests.log 2>&1 || { cat build/core-tests.log; exit 1; }
	@touch $@

# -- Showing and testing ----------------------------------------------------------------------------------------------

demo: $(STAMPS)/dev  ## stream this machine's readings from a server that dies and returns (TLS=1: over wss)
	@$(PY) examples/demo/run.py $(if $(filter-out 0,$(TLS)),--tls)

chat: $(STAMPS)/dev $(STAMPS)/chat-tools  ## talk in a terminal, and in a browser (NAME=... ROOM=... PORT=...)
	@cd examples && ../$(PY) -m chat $(if $(NAME),--name "$(NAME)") $(if $(ROOM),--room "$(ROOM)") $(if $(PORT),--port $(PORT))

core-tests: $(STAMPS)/core-tests  ## run the C++ tests of the core alone
	@ctest --test-dir build/dev --output-on-failure --no-tests=error -j $(JOBS) -Q -O build/core-tests.log \
	  || { cat build/core-tests.log; exit 1; }
	@tail -n 3 build/core-tests.log

test: core-tests $(STAMPS)/node-peer $(STAMPS)/chat-tools $(STAMPS)/old-kernel  ## the everyday tests: the C++ core's, then Python's
	@# All of them: in two processes, a file's tests in one. Some of them: as they were asked for.
	@FASTWS_CORE_TESTS=$(CORE_TESTS) $(PY) $(PYTEST) $(or $(ARGS),-n 2 --dist loadfile)

test-chat: $(STAMPS)/dev $(STAMPS)/test-programs $(STAMPS)/browser  ## the chat's tests, and those with a real browser and JupyterLab
	@$(PY) $(PYTEST) tests/chat tests/chat_browser $(ARGS)

pictures: $(STAMPS)/dev $(STAMPS)/browser  ## take the pictures in docs/ anew, from the running programs
	@$(PY) scripts/pictures.py

lifecycle: $(STAMPS)/dev  ## exit, fork, interrupt and collection in every state, 20 times each
	@FASTWS_LIFECYCLE_RUNS=20 $(PY) $(PYTEST) tests/lifecycle $(ARGS)

conformance: $(STAMPS)/dev $(STAMPS)/autobahn  ## the Autobahn test suite (12 minutes; ARGS="9.7 10": only these)
	@$(PY) tests/conformance/run.py $(ARGS)

conformance-short: $(STAMPS)/dev $(STAMPS)/autobahn  ## the Autobahn test suite without its long sections
	@$(PY) tests/conformance/run.py --without 9 12 13

asan: $(STAMPS)/venv $(STAMPS)/node-peer $(STAMPS)/chat-tools $(STAMPS)/old-kernel  ## all everyday tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@echo "fastws: building with sanitizers (build/asan)"
	@scripts/build-variant asan -C cmake.build-type=Dev -C cmake.define.FASTWS_TESTS=ON \
	  -C cmake.define.FASTWS_SANITIZE=address,undefined
	@cmake --build build/asan/cmake --target fastws_core_tests
	@UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir build/asan/cmake --output-on-failure --no-tests=error -j $(JOBS)
	@# Python itself is not instrumented: the runtime must come first, its allocator must not hide ours, and what Python
	@# keeps until its end is no leak. libstdc++ is named so that exceptions thrown in the module are intercepted.
	@LD_PRELOAD="$(ASAN_RUNTIME)" PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	  FASTWS_SANITIZED=1 FASTWS_CORE_TESTS=build/asan/cmake/fastws_core_tests build/asan/venv/bin/python $(PYTEST) $(ARGS)

tsan: $(STAMPS)/native  ## the C++ tests of the core under ThreadSanitizer
	@echo "fastws: building with ThreadSanitizer (build/tsan)"
	@cmake -S . -B build/tsan -G Ninja -D CMAKE_BUILD_TYPE=Dev -D FASTWS_EXTENSION=OFF -D FASTWS_TESTS=ON \
	  -D FASTWS_SANITIZE=thread >build/tsan-configure.log || { cat build/tsan-configure.log; exit 1; }
	@cmake --build build/tsan --target fastws_core_tests
	@# More tests at once than cores, in another order each time: more interleavings.
	@# die_after_fork: a test forks beside threads, as programs do.
	@TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1 die_after_fork=0" \
	  ctest --test-dir build/tsan --output-on-failure --no-tests=error --schedule-random -j 4

# Each target of FUZZ for FUZZ_SECONDS. What it learned stays in build/fuzz/corpus, the next run begins with it; an input that
# it objects to is put into build/fuzz/found, and `build/fuzz/fastws_fuzz_TARGET FILE` repeats the objection.
FUZZ         ?= reader scan writer
FUZZ_SECONDS ?= 600

# detect_leaks=0: libFuzzer would look for leaks after every input that leaves more memory than it found, and Python keeps
# some of nearly every one. The targets themselves look every few thousand inputs (tests/fuzz/oracle.hpp). max_len: an integer
# of more digits than Python reads.
fuzz: $(STAMPS)/venv $(STAMPS)/fuzz-tools  ## fuzz the JSON rooms, Python's json beside them (FUZZ=reader: only that)
	@echo "fastws: building the fuzz targets (build/fuzz)"
	@cmake -S . -B build/fuzz -G Ninja -D CMAKE_CXX_COMPILER=clang++ -D CMAKE_BUILD_TYPE=Dev -D FASTWS_EXTENSION=OFF \
	  -D FASTWS_FUZZ=ON -D FASTWS_SANITIZE=address,undefined -D Python_EXECUTABLE="$(CURDIR)/$(PY)" \
	  >build/fuzz-build.log && cmake --build build/fuzz --target $(FUZZ:%=fastws_fuzz_%) >>build/fuzz-build.log \
	  || { cat build/fuzz-build.log; exit 1; }
	@mkdir -p $(FUZZ:%=build/fuzz/corpus/%) build/fuzz/found
	@for target in $(FUZZ); do \
	  $(PY) tests/fuzz/seeds.py $$target build/fuzz/seeds/$$target || exit 1; \
	  echo "fastws: fuzzing the $$target for $(FUZZ_SECONDS) s (build/fuzz/$$target.log)"; \
	  UBSAN_OPTIONS=print_stacktrace=1 build/fuzz/fastws_fuzz_$$target -max_total_time=$(FUZZ_SECONDS) -detect_leaks=0 \
	    -max_len=4400 -timeout=20 -dict=tests/fuzz/json.dict -print_final_stats=1 -artifact_prefix=build/fuzz/found/ \
	    build/fuzz/corpus/$$target build/fuzz/seeds/$$target >build/fuzz/$$target.log 2>&1 \
	    || { grep -v '^#' build/fuzz/$$target.log; exit 1; }; \
	  grep -E '^#.*DONE|^stat::' build/fuzz/$$target.log; \
	done

numbers: $(STAMPS)/dev  ## 10 million hard number texts, read and written as Python does (ARGS="--seed x")
	@$(PY) tests/property/run_numbers.py $(ARGS)

# -- Measuring: an optimised build beside the dev one -----------------------------------------------------------------

release: $(STAMPS)/bench-tools  ## build an optimised package beside the dev one (build/release)
	@echo "fastws: building optimised (build/release)"
	@scripts/build-variant release -C cmake.build-type=Release

soak: release  ## 10,000 messages/s for 60 s while Python is busy
	@build/release/venv/bin/python benchmarks/soak.py $(ARGS)

flood: release  ## 24 million messages through one process, memory flat
	@build/release/venv/bin/python benchmarks/flood.py $(ARGS)

bench: release  ## side by side with peers: all questions, 20 minutes (ARGS="--rows stream,roundtrip --rounds 2", "--list")
	@build/release/venv/bin/python benchmarks/suite.py $(ARGS)

bench-json: release  ## reading and writing JSON alone, beside other parsers
	@build/release/venv/bin/python benchmarks/json_speed.py $(ARGS)

# -- Reading ----------------------------------------------------------------------------------------------------------

CXX_FILES = $(shell find cpp tests -name '*.cpp' -o -name '*.hpp')

lint: $(STAMPS)/dev $(STAMPS)/lint-tools  ## formats, ruff, mypy --strict
	@.venv/bin/clang-format --dry-run -Werror $(CXX_FILES)
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@$(PY) -m mypy --config-file setup.cfg

format: $(STAMPS)/lint-tools  ## write what lint's formatters want
	@.venv/bin/clang-format -i $(CXX_FILES)
	@.venv/bin/ruff format --quiet .
	@.venv/bin/ruff check --quiet --fix --exit-zero .

clean:  ## remove everything that was built or installed here
	@rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
