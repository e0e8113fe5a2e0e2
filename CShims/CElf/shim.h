/* libelf (elfutils) as a module: Boot/ELFImage.swift and Boot/ELFSymbols.swift are its only importers. */
#include <gelf.h>
#include <libelf.h>
