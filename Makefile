# lambda-fastdeploy: see README.md for its use, ARCHITECTURE.md for the house, CONTRIBUTING.md for the targets.
VERSION := $(shell cat VERSION)
BUILD   ?= build
CC      ?= gcc

PACKAGES  := libcurl libcjson libcrypto
CPPFLAGS  += -D_GNU_SOURCE -D_FORTIFY_SOURCE=3 -DVERSION='"$(VERSION)"' -Isrc -include src/core/banned.h
CFLAGS    ?= -O2 -g
WARNINGS  := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
# Text is cut to the size of its place on purpose (messages, names); gcc has no way to say so.
WARNINGS  += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
HARDENING := -fstack-protector-strong -fPIE
ALL_CFLAGS  = -std=c11 $(WARNINGS) $(HARDENING) $(CFLAGS) $(shell pkg-config --cflags $(PACKAGES))
ALL_LDFLAGS = -pie -Wl,-z,now,-z,relro $(LDFLAGS)
LIBS        = $(shell pkg-config --libs $(PACKAGES)) -lpthread

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
TESTS   := $(sort $(wildcard tests/core/*.c tests/model/*.c tests/services/*.c tests/stages/*.c))
SUITES  := $(patsubst %_test.c,%,$(notdir $(filter %_test.c,$(TESTS))))
TEST_OBJECTS := $(TESTS:%.c=$(BUILD)/%.o) $(BUILD)/tests/unit.o

.PHONY: all tools unit e2e check demo lint layers format asan valgrind clean
.DELETE_ON_ERROR:

all: $(BUILD)/lambda-fastdeploy

$(BUILD)/lambda-fastdeploy: $(OBJECTS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The unit tests: every tests/<layer>/<name>_test.c gives a `Suite *<name>_suite(void)`; no list to forget.
$(BUILD)/tests/suites.h: Makefile $(TESTS)
	@mkdir -p $(@D)
	@{ for s in $(SUITES); do echo "SUITE($$s)"; done; } > $@

$(BUILD)/tests/%.o: CPPFLAGS += -Itests -I$(BUILD)/tests -I.
$(BUILD)/tests/%.o: CFLAGS += -Wno-format-nonliteral
$(BUILD)/tests/unit.o: $(BUILD)/tests/suites.h

$(BUILD)/unit: $(filter-out $(BUILD)/src/main.o,$(OBJECTS)) $(TEST_OBJECTS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(shell pkg-config --libs check) $(LIBS)

unit: $(BUILD)/unit
	$(BUILD)/unit

clean:
	@if [ -x tests/cloud/down ]; then tests/cloud/down; fi
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)
