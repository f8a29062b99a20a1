# The static program: no shared library, position-independent, the same bytes from every build with the same packages.
#   make static          for this machine's architecture, build/static/lambda-fastdeploy
#   make static-arm64    for arm64 from any machine, build/static-arm64/lambda-fastdeploy
#   make test-static     both: what they are linked with, their size, that a second build is the same, that they run
DOWNLOADS := build/downloads
# No more than this many bytes (7 MB).
STATIC_MAX_BYTES := 7000000

# What is linked, below BUILD.
PROGRAM = lambda-fastdeploy

.PHONY: static static-arm64 static-least test-static

static:
	@tools/install static
	@$(MAKE) --no-print-directory static-program BUILD=$(BUILD)/static TRIPLET=$$(gcc -dumpmachine)

# The same libraries and flags, for the benchmark of the program's processor time.
static-least: static
	@$(MAKE) --no-print-directory static-program BUILD=$(BUILD)/static TRIPLET=$$(gcc -dumpmachine) PROGRAM=tests/bench/least

# The headers and libraries of another architecture are unpacked beside each other, and nothing of them is installed or run.
static-arm64:
	@tools/install arm64
	@packaging/sysroot arm64 $(BUILD)/sysroot-arm64
	@$(MAKE) --no-print-directory static-program BUILD=$(BUILD)/static-arm64 TRIPLET=aarch64-linux-gnu SYSROOT=$(CURDIR)/$(BUILD)/sysroot-arm64

test-static: tools-check static static-arm64
	packaging/test-static $(BUILD) $(STATIC_MAX_BYTES)

# ---- one program, for TRIPLET, in BUILD, with the libraries of SYSROOT (empty: the machine's) ----

ifdef TRIPLET
comma := ,
LIBRARIES := $(BUILD)/libraries
SYSTEM_PACKAGES := libcares libssl libcrypto
TARGET_PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(TRIPLET)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config

# The linker warns of dlopen and of the C library's look-ups of names in OpenSSL and c-ares: the program reaches none of them.
.PHONY: static-program
static-program: $(LIBRARIES)/done
	$(COMPILE) $(BUILD)/$(PROGRAM) BUILD=$(BUILD) \
	    CC="$(TRIPLET)-gcc $(if $(SYSROOT),--sysroot=$(SYSROOT))" PIE=-static-pie \
	    CFLAGS="-O2 -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=." \
	    LDFLAGS="-s -Wl,--gc-sections -Wl,--build-id=none $(if $(filter x86_64-%,$(TRIPLET)),-Wl$(comma)-z$(comma)pack-relative-relocs)" \
	    PACKAGE_CFLAGS="-I$(LIBRARIES)/include" \
	    LIBS="-L$(LIBRARIES)/lib -lcurl -lcjson $$($(TARGET_PKG_CONFIG) --static --libs $(SYSTEM_PACKAGES)) -lpthread"

$(LIBRARIES)/done: packaging/sources packaging/libraries
	@packaging/fetch curl $(DOWNLOADS)
	@packaging/fetch cjson $(DOWNLOADS)
	@echo "  make $(LIBRARIES) (libcurl and cJSON, static)"
	$(Q)packaging/libraries $(LIBRARIES) $(DOWNLOADS) $(TRIPLET) $(SYSROOT)
	@touch $@

# Other flags, other headers: compile again.
$(OBJECTS) $(BUILD)/tests/bench/least.o: packaging/static.mk $(LIBRARIES)/done
endif
