# The front door. `make` lists the targets.
#
#   make deps    make run    make test

SWIFT_BUILD = swift build -c release -Xswiftc -static-executable --scratch-path .build-static
PROGRAMS = swiftlet

.PHONY: help deps build guests run test lab-test bench fuzz lint format docs install clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

build: guests ## bin/swiftlet (static) and its siblings, guests/build/NAME.elf
	$(SWIFT_BUILD)
	@mkdir -p bin
	@for program in $(PROGRAMS); do \
	    cmp -s .build-static/release/$$program bin/$$program || cp .build-static/release/$$program bin/$$program; done

guests: ## guests/build/NAME.elf for every guest
	@$(MAKE) --no-print-directory -C guests

lint: ## swift-format, strictly
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## let swift-format rewrite the sources
	swift format --in-place --parallel --recursive Package.swift Sources Tests

clean: ## remove what was built
	rm -rf .build* bin guests/build benchmarks/build fuzz/.build*
