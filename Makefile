# lambda-fastdeploy: see README.md for its use, ARCHITECTURE.md for the house, CONTRIBUTING.md for the targets.
VERSION := $(shell cat VERSION)
BUILD   ?= build
ifeq ($(origin CC),default)
CC := gcc
endif

PACKAGES  := libcurl libcjson libssl libcrypto
CPPFLAGS  += -D_GNU_SOURCE -D_FORTIFY_SOURCE=3 -DVERSION='"$(VERSION)"' -Isrc -include src/core/banned.h
CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
# Text is cut to the size of its place on purpose (messages, names); gcc has no way to say so.
WARNINGS  += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
HARDENING := -fstack-protector-strong -fPIE
ALL_CFLAGS  = -std=c11 $(WARNINGS) $(HARDENING) $(CFLAGS) $(PACKAGE_CFLAGS)
ALL_LDFLAGS = $(PIE) -Wl,-z,now,-z,relro $(LDFLAGS)
PIE         = -pie
PACKAGE_CFLAGS = $(shell pkg-config --cflags $(PACKAGES))
LIBS        = $(shell pkg-config --libs $(PACKAGES)) -lpthread

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
TESTS   := $(sort $(wildcard tests/core/*.c tests/model/*.c tests/services/*.c tests/stages/*.c))
ALL_SUITES := $(patsubst %_test.c,%,$(notdir $(filter %_test.c,$(TESTS))))
SUITES  ?= $(ALL_SUITES)
FORMATTED := $(sort $(wildcard src/*.[ch] src/*/*.[ch] tests/*.[ch] tests/*/*.[ch]))
SCRIPTS   := $(sort $(wildcard tools/* tests/cloud/up tests/cloud/down tests/cloud/enter tests/cloud/install tests/cloud/root tests/with-cloud tests/unit-run tests/demo tests/bare tests/readme tests/fuzz/run tests/workflows/check .ci/run))
TEST_OBJECTS := $(TESTS:%.c=$(BUILD)/%.o) $(BUILD)/tests/unit.o

.PHONY: all tools-build unit e2e cloud-check faults kills crowd soak e2e-slow property bench bench-hash check demo tools-check docs-check trust-check examples-check workflows-check release-check readme-check style lint layers format asan fuzz fuzz-build valgrind clean
# V=1 shows the whole commands.
Q := $(if $(V),,@)
# What only compiles and links goes on as many processors as there are; what installs or starts something does not.
COMPILE = @$(MAKE) --no-print-directory -j$(shell nproc)

.DELETE_ON_ERROR:

all: tools-build
	$(COMPILE) $(BUILD)/lambda-fastdeploy

tools-build:
	@tools/install build

$(BUILD)/lambda-fastdeploy: $(OBJECTS)
	@echo "  link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	@echo "  cc   $<"
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The unit tests: every tests/<layer>/<name>_test.c gives a `Suite *<name>_suite(void)`; no list to forget.
$(BUILD)/tests/suites.h: Makefile $(TESTS)
	@mkdir -p $(@D)
	@{ for s in $(ALL_SUITES); do echo "SUITE($$s)"; done; } > $@

$(BUILD)/tests/%.o: CPPFLAGS += -Itests -I$(BUILD)/tests -I.
$(BUILD)/tests/%.o: CFLAGS += -Wno-format-nonliteral
$(BUILD)/tests/unit.o: $(BUILD)/tests/suites.h

$(BUILD)/unit: $(filter-out $(BUILD)/src/main.o,$(OBJECTS)) $(TEST_OBJECTS)
	@echo "  link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(shell pkg-config --libs check) $(LIBS)

unit: tools-check
	$(COMPILE) $(BUILD)/unit
	tests/unit-run $(BUILD)/unit $(SUITES)

# The end-to-end tests, in the local cloud, but for those that are marked as slow. E2E="-k main_road" chooses some, E2E=--all takes all; WRAP=asan or valgrind runs the program under it.
e2e: tools-check all
	tests/cloud/install
	tests/with-cloud python3 -m e2e --binary $(BUILD)/lambda-fastdeploy $(if $(WRAP),--wrap $(WRAP)) $(E2E)

.SECONDARY: $(BUILD)/tests/tools/identity.o $(BUILD)/tests/bench/least.o
# Programs of tests/tools: what the tests and benchmarks ask of the modules without the rest of the program.
$(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(filter-out $(BUILD)/src/main.o $(BUILD)/src/app.o,$(OBJECTS))
	@echo "  link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A peer of the benchmarks: no module of the program is in it.
$(BUILD)/tests/bench/least: $(BUILD)/tests/bench/least.o
	@echo "  link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Random contexts, Dockerfiles and edits: what the identity takes for unchanged, the real BuildKit must take from its cache.
CASES ?= 200
SEED  ?= 1
property: tools-check
	$(COMPILE) $(BUILD)/tests/tools/identity
	tests/cloud/install
	tests/with-cloud python3 tests/e2e/property_identity.py --identity $(BUILD)/tests/tools/identity --cases $(CASES) --seed $(SEED)

# Every operation that the program sends, with everything that can go wrong with it. CELLS=40 plays so many of the cells, chosen by SEED.
CELLS   ?= 0
WORKERS ?= 3
faults: tools-check all
	$(COMPILE) $(BUILD)/tests/tools/operations
	tests/cloud/install
	tests/with-cloud python3 -m e2e.faults --binary $(BUILD)/lambda-fastdeploy --operations $(BUILD)/tests/tools/operations \
	    --seed $(SEED) --cells $(CELLS) --workers $(WORKERS) $(FAULTS)

# The program is ended before and after each of its effects, and the next plain run must arrive.
kills: tools-check all
	tests/cloud/install
	tests/with-cloud python3 -m e2e.kills --binary $(BUILD)/lambda-fastdeploy --seed $(SEED) --cells $(CELLS) --workers $(WORKERS) $(KILLS)

# Ten deployments of one function at once, CROWD_ROUNDS times; and a simulated life of SECONDS. A client asks the alias all along.
crowd soak: SECONDS ?= 60
crowd soak: tools-check all
	tests/cloud/install
	tests/with-cloud python3 -m e2e.soak --binary $(BUILD)/lambda-fastdeploy --seed $(SEED) --seconds $(SECONDS) \
	    $(if $(filter crowd,$@),--crowd --rounds $(or $(CROWD_ROUNDS),20))

# Everything that docs/performance.md states, measured with the program that ships: hashing, then whole deployments. ROUNDS=3 each; ten minutes.
ROUNDS ?= 3
bench: tools-check static-least bench-hash
	tests/bench/install
	tests/with-cloud python3 tests/bench/deploy.py --binary $(BUILD)/static/lambda-fastdeploy --least $(BUILD)/static/tests/bench/least \
	    --rounds $(ROUNDS) --json $(BUILD)/bench.json

# Hashing a build context beside `openssl sha256` on the same files, with as many processes as there are processors.
bench-hash: tools-build
	$(COMPILE) $(BUILD)/tests/tools/identity
	python3 tests/bench/hash.py --identity $(BUILD)/tests/tools/identity

# The local cloud's own tests: what it promises on this machine, its AWS endpoint alone, and with real pushes and containers.
cloud-check: tools-check
	tests/cloud/install
	tests/cloud/test_ground.sh
	tests/with-cloud python3 tests/cloud/test_aws.py
	tests/with-cloud python3 tests/cloud/test_aws_live.py

# Those that are marked as slow, which `make check` leaves out: that no action of docs/iam can be left out, keys that expire during a long build, twins.
e2e-slow: tools-check all
	tests/cloud/install
	tests/with-cloud python3 -m e2e --binary $(BUILD)/lambda-fastdeploy --slow $(E2E)

# What must hold before a change is shown to anybody, in under 15 minutes on two cores; .ci/run has more. The local cloud's root is made meanwhile; if that
# fails, `up` says so.
check: tools-check
	tests/cloud/install
	@tests/cloud/root >/dev/null & \
	$(MAKE) --no-print-directory all unit docs-check trust-check; code=$$?; wait; exit $$code
	@$(MAKE) --no-print-directory e2e

demo: tools-check
	@$(MAKE) --no-print-directory all
	tests/demo

# The nine ends of a run, played in the local cloud: their summaries, logs and results, to be looked at.
.PHONY: summaries
summaries: tools-check all
	tests/cloud/install
	tests/with-cloud python3 -m e2e.summaries $(BUILD)/summaries $(BUILD)/lambda-fastdeploy
	tests/summary/check_answers $(BUILD)/summaries

# The pictures of docs/images: summaries as GitHub shows them.
.PHONY: screenshots
screenshots:
	@tools/install screenshots
	tests/summary/screenshots

tools-check:
	@tools/install check

# The binary is hardened, and .github uses nothing that its owner can move.
trust-check: all
	python3 tests/check_binary.py $(BUILD)/lambda-fastdeploy $(wildcard $(BUILD)/static/lambda-fastdeploy)
	python3 tests/check_actions.py

docs-check: all
	python3 tests/check_docs.py $(BUILD)/lambda-fastdeploy
	python3 tests/check_guides.py
	tests/summary/check_answers
	python3 tests/check_workflows.py

# A release, step by step as the workflow has it, with stand-ins for docker and gh.
release-check: tools-check
	python3 tests/check_release.py

# The workflows of this repository, the examples and the docs, and action.yml, as actionlint and GitHub's own reader see them.
workflows-check:
	tests/workflows/check $(BUILD)/workflows

# The examples' functions, Dockerfiles and workflows, and the workflows in the docs.
examples-check: all
	@tools/install examples
	/usr/bin/python3 tests/check_examples.py $(BUILD)/lambda-fastdeploy

# The README followed to the letter, on a Debian that has nothing yet. ONLY=demo chooses one of its commands.
readme-check:
	tests/readme $(ONLY)

layers:
	tools/lint-layers

# What is seen without compiling.
style: layers
	@tools/install style
	tools/lint-lengths
	@clang-format --dry-run -Werror $(FORMATTED) && echo "format: clean"
	@shellcheck -x $(SCRIPTS) && echo "scripts: clean"

lint: style
	@tools/install lint
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --suppress=varFuncNullUB \
	    --error-exitcode=1 -Isrc src
	@$(MAKE) --no-print-directory BUILD=build/clang CC=clang all
	printf '%s\n' $(SOURCES) | xargs -P 2 -I{} clang-tidy --quiet {} 2>/dev/null -- \
	    -std=c11 $(CPPFLAGS) $(shell pkg-config --cflags $(PACKAGES))

format:
	clang-format -i $(FORMATTED)

# Address and undefined-behaviour sanitizers over unit and end-to-end tests.
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan: tools-check
	$(COMPILE) BUILD=build/asan CFLAGS="-O1 -g $(SANITIZERS)" LDFLAGS="-static-libasan -static-libubsan $(SANITIZERS)" \
	    build/asan/unit build/asan/lambda-fastdeploy
	CK_TIMEOUT_MULTIPLIER=30 tests/unit-run build/asan/unit $(SUITES)
	@$(MAKE) --no-print-directory BUILD=build/asan CFLAGS="-O1 -g $(SANITIZERS)" LDFLAGS="-static-libasan -static-libubsan $(SANITIZERS)" \
	    WRAP=asan E2E="--all $(E2E)" e2e

# Every parser of outside text gets bytes that nobody thought of. SECONDS each, two at a time; FUZZ="json xml" chooses some.
fuzz: SECONDS ?= 20
FUZZ ?= $(sort $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
FUZZ_SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
fuzz:
	@tools/install fuzz
	$(COMPILE) BUILD=build/fuzz CC=clang CFLAGS="-O1 -g -U_FORTIFY_SOURCE -fsanitize=fuzzer-no-link $(FUZZ_SANITIZERS)" \
	    fuzz-build
	tests/fuzz/run $(SECONDS) $(FUZZ)

.SECONDARY: $(FUZZ:%=$(BUILD)/tests/fuzz/%.o)
fuzz-build: $(FUZZ:%=$(BUILD)/fuzz-%)

$(BUILD)/objects.a: $(filter-out $(BUILD)/src/main.o,$(OBJECTS))
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/fuzz-%: $(BUILD)/tests/fuzz/%.o $(BUILD)/objects.a
	@echo "  link $@"
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

valgrind:
	@tools/install valgrind
	@$(MAKE) --no-print-directory all
	$(COMPILE) $(BUILD)/unit
	CK_FORK=no CK_TIMEOUT_MULTIPLIER=30 tests/unit-run "valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 $(BUILD)/unit" $(SUITES)
	@$(MAKE) --no-print-directory WRAP=valgrind E2E="--all $(E2E)" e2e

include packaging/static.mk packaging/image.mk

clean:
	@if [ -d $(BUILD)/cloud ]; then tests/cloud/down; fi
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(wildcard $(BUILD)/tests/tools/*.d $(BUILD)/tests/bench/*.d)
