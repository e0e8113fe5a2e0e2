// The names of ELF's numbers (System V gABI; x86-64 psABI; <elf.h>): those that one meets, a number for the rest.
//
// Read next: NoteMeaning.swift.

import Subcommand

enum ELFNames {
    /// e_type
    static func type(_ type: UInt16) -> String {
        switch type {
        case 0: "no type (ET_NONE)"
        case 1: "relocatable object (ET_REL)"
        case 2: "executable (ET_EXEC)"
        case 3: "position-independent executable or shared library (ET_DYN)"
        case 4: "core (ET_CORE)"
        default: "type \(hex(UInt64(type)))"
        }
    }

    /// e_machine
    static func machine(_ machine: UInt16) -> String {
        switch machine {
        case 2: "SPARC"
        case 3: "i386"
        case 8: "MIPS"
        case 20: "PowerPC"
        case 21: "PowerPC 64"
        case 22: "IBM S/390"
        case 40: "ARM"
        case 62: "x86-64"
        case 183: "AArch64"
        case 243: "RISC-V"
        case 247: "BPF"
        case 258: "LoongArch"
        default: "machine \(machine)"
        }
    }

    /// p_type
    static func header(_ type: UInt32) -> String {
        switch type {
        case 0: "NULL"
        case 1: "LOAD"
        case 2: "DYNAMIC"
        case 3: "INTERP"
        case 4: "NOTE"
        case 5: "SHLIB"
        case 6: "PHDR"
        case 7: "TLS"
        case 0x6474_e550: "GNU_EH_FRAME"
        case 0x6474_e551: "GNU_STACK"
        case 0x6474_e552: "GNU_RELRO"
        case 0x6474_e553: "GNU_PROPERTY"
        default: hex(UInt64(type))
        }
    }

    /// p_flags
    static func access(_ flags: UInt32) -> String {
        (flags & 4 != 0 ? "r" : "-") + (flags & 2 != 0 ? "w" : "-") + (flags & 1 != 0 ? "x" : "-")
    }
}
