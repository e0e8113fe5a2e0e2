# The front door. `make` lists the targets; `make run` and `make test` are the two that a newcomer needs.

# The order of functions is worth a twentieth of a start and a third of its memory; only lld takes one (start-order).
LAYOUT = -Xswiftc -use-ld=lld -Xlinker --symbol-ordering-file=$(CURDIR)/CShims/CStart/start-order \
    -Xlinker --no-warn-symbol-ordering
SWIFT_BUILD = swift build -c release -Xswiftc -static-executable $(LAYOUT) --scratch-path .build-static
PROGRAMS = swiftlet swiftlet-bench swiftlet-call swiftlet-check swiftlet-clone swiftlet-doctor swiftlet-host swiftlet-inspect swiftlet-serve \
    swiftlet-snapshot swiftlet-walk

# What Debian 12 lacks beside git, make and Swift. Without a usable /dev/kvm the SVM lab's packages are needed too.
PACKAGES = gcc binutils libc6-dev linux-libc-dev libcapstone-dev libelf-dev libseccomp-dev python3 zlib1g-dev
KVM_USABLE = test -r /dev/kvm -a -w /dev/kvm
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help deps lab-deps build guests run test lab-test labs-test book-fill book-test appliance appliance-test snapshot-test pool-test example bench bench-selftest fuzz lint format docs install install-tender clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

deps: ## install what is missing to build, and where /dev/kvm is missing what the SVM lab needs
	@packages='$(PACKAGES)'; $(KVM_USABLE) || packages="$$packages $$(lab/svm.sh -n)"; $(INSTALL_MISSING)

lab-deps: ## install what both labs need, gdb and lldb too
	@packages="$$(lab/svm.sh -n) $$(lab/vmx.sh -n) $$(lab/debuggers.sh -n)"; $(INSTALL_MISSING)

# Says what it will install, then does so; silent when nothing is missing.
INSTALL_MISSING = missing=$$(for package in $$packages; do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; done | sort -u | tr '\n' ' '); \
	if [ -n "$${missing% }" ]; then \
	    echo "installing: $$missing"; $(SUDO) apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

build: guests ## bin/swiftlet (static) and its siblings, guests/build/NAME.elf
	$(SWIFT_BUILD)
	@mkdir -p bin
	@for program in $(PROGRAMS); do \
	    cmp -s .build-static/release/$$program bin/$$program || install .build-static/release/$$program bin/$$program; done

guests: ## guests/build/NAME.elf for every guest
	@$(MAKE) --no-print-directory -C guests

run: deps build ## boot the guest hello and show what each phase of its start took
	@if $(KVM_USABLE); then \
	    echo "bin/swiftlet run --stats guests/build/hello.elf"; bin/swiftlet run --stats guests/build/hello.elf; \
	else \
	    echo "no usable /dev/kvm ('bin/swiftlet doctor' tells why): running in the SVM lab, a VM on an emulated CPU"; \
	    mkdir -p .build-static/lab && cp bin/swiftlet guests/build/hello.elf .build-static/lab && \
	    lab/svm.sh .build-static/lab /swiftlet run --stats /hello.elf; fi

test: deps build ## all tests; the guests run on this host's KVM, or in the SVM lab where there is none
	swift test
	@$(KVM_USABLE) || { echo "no usable /dev/kvm: running the guests in the SVM lab"; lab/test.sh svm; }

lab-test: build ## two more KVMs: the guests and debuggers in SVM (QEMU) and VMX (Bochs, if installed); Debian and memtest86+ in SVM
	lab/test.sh
	lab/debian.sh
	lab/memtest.sh
	lab/identities.sh
	lab/debuggers.sh

APPLIANCE = .build-static/appliance/swiftlet.iso

appliance: build ## a bootable image (BIOS and UEFI, CD and disk) that shows the choice of machines: docs/appliance.md
	@packages="$$(appliance/build.sh -n)"; $(INSTALL_MISSING)
	@mkdir -p $(dir $(APPLIANCE))
	appliance/build.sh $(APPLIANCE)

appliance-test: build ## the appliance switched on in QEMU and used as a person would, by BIOS and by UEFI
	@packages="$$(appliance/build.sh -n) $$(appliance/test.sh -n)"; $(INSTALL_MISSING)
	appliance/test.sh

snapshot-test: build ## guests saved at 1,000 random instants, killed while saving, restored in another process
	SWIFTLET_SNAPSHOTS=1000 swift test --disable-xctest --filter 'GuestTests/(Snapshots|Increments)'

pool-test: guests ## 500 clones alive at once, 10,000 calls to a pool: what they cost in memory, and that nothing is left of them
	SWIFTLET_CLONES=500 SWIFTLET_POOL_CYCLES=10000 swift test --disable-xctest --filter '^SnapshotTests\.PoolLoadTests'

EXAMPLE = .build-example/upper.snapshot

example: build ## a program that calls a guest as a function, by the library: examples/call
	swift build -c release --package-path examples/call --scratch-path .build-example
	bin/swiftlet run --snapshot $(EXAMPLE) --snapshot-exit guests/build/upper.elf
	.build-example/release/call $(EXAMPLE) hello from a virtual machine

bench: deps build ## what exits, memory, devices and a start cost here, and are the promises kept? Both go into benchmarks/RESULTS.md
	@packages=valgrind; $(INSTALL_MISSING)
	@$(MAKE) --no-print-directory -C benchmarks
	@$(MAKE) --no-print-directory -C guests native
	@benchmarks/bench.sh

SELFTEST = .build-static/selftest

bench-selftest: build ## does the yardstick give the same length twice? exits measured twice: 9 of 10 rows agree within 2 %
	@$(MAKE) --no-print-directory -C benchmarks
	rm -rf $(SELFTEST)
	@for run in a b; do \
	    echo "bin/swiftlet bench exits --out $(SELFTEST)/$$run"; start=$$(date +%s); \
	    bin/swiftlet bench exits --out $(SELFTEST)/$$run || exit 1; seconds=$$(($$(date +%s) - start)); \
	    [ $$seconds -le 90 ] || { echo "bench-selftest: 'bench exits' took $$seconds s, and may take 90" >&2; exit 1; }; done
	bin/swiftlet bench compare --agree 2 $(SELFTEST)/a/report.json $(SELFTEST)/b/report.json

SECONDS = 30

fuzz: deps guests ## libFuzzer on image files, calls and requests, SECONDS=30 each, after it has found two planted bugs
	fuzz/run.sh $(SECONDS)

lint: ## swift-format, and the house rules that it cannot check
	swift format lint --strict --parallel --recursive Package.swift Sources Tests fuzz/Package.swift fuzz/Sources examples
	@docs/check.sh

format: ## let swift-format rewrite the sources
	swift format --in-place --parallel --recursive Package.swift Sources Tests fuzz/Package.swift fuzz/Sources examples

docs: build ## docs/build: man pages and shell completions, from what each program says of itself; the book and all texts as HTML
	@packages='help2man python3-markdown'; $(INSTALL_MISSING)
	docs/generate.sh bin docs/build
	/usr/bin/python3 docs/book.py html docs/build/html

book-fill: build ## write the book's listings and transcripts anew, from the sources and the programs
	docs/book.py fill --run

book-test: build ## is the book true? its listings are the sources, its transcripts are what the programs say
	@if $(KVM_USABLE); then docs/book.py check --run; else \
	    echo "no usable /dev/kvm: the book's transcripts are not compared"; docs/book.py check; fi

labs-test: build ## labs/: every skeleton fails its check, every solution passes
	@$(MAKE) --no-print-directory -C labs test

install: docs ## programs, man pages and completions to PREFIX (/usr/local), under DESTDIR
	install -d $(INSTALLED)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
	    $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d $(SHARE)/doc/swiftlet
	install -s $(PROGRAMS:%=bin/%) $(INSTALLED)/bin
	@$(MAKE) --no-print-directory install-tender
	install -m 644 docs/build/man/man1/*.1 $(SHARE)/man/man1
	install -m 644 docs/build/completions/bash/* $(SHARE)/bash-completion/completions
	install -m 644 docs/build/completions/zsh/* $(SHARE)/zsh/site-functions
	install -m 644 docs/build/completions/fish/* $(SHARE)/fish/vendor_completions.d
	install -m 644 README.md LICENSE docs/*.md docs/bench-schema.json $(SHARE)/doc/swiftlet

# Under the name of Solo5's tender too (docs/solo5.md); a program of that name that is there already stays.
install-tender:
	@test -e $(TENDER) -a ! -L $(TENDER) || ln -sfn swiftlet $(TENDER)

PREFIX ?= /usr/local
INSTALLED = $(DESTDIR)$(PREFIX)
SHARE = $(INSTALLED)/share
TENDER = $(INSTALLED)/bin/solo5-hvt

clean: ## remove what was built
	rm -rf .build .build-* bin guests/build labs/build benchmarks/build fuzz/.build* docs/build
