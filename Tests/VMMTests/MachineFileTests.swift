// Files that a machine is made from, when they are missing, strange, or change while they are read.
//
// Every error comes before /dev/kvm is opened, so these need none. Read next: Sources/VMM/ImageFile.swift.

import Glibc
import GuestMemory
import Host
import ImageBuilder
import TestSupport
import Testing

@testable import VMM

@Suite struct MachineFileTests {
    private let folder = ScratchFolder()

    private func refusal(_ change: (inout Configuration) -> Void) throws -> String? {
        var configuration = Configuration(image: try folder.file("guest.elf", ELFBuilder.guest().build()))
        change(&configuration)
        var phases = Phases(start: 0)
        do throws(MachineError) {
            _ = try Machine(configuration, console: Console(input: -1, output: -1), phases: &phases)
            return nil
        } catch { return error.message }
    }

    @Test func imageMustBeAFileThatCanBeRead() throws {
        #expect(try refusal { $0.image = "\(folder.path)/no" } == "\(folder.path)/no: No such file or directory")
        #expect(try refusal { $0.image = folder.path } == "\(folder.path): Is a directory")
        #expect(try refusal { $0.image = "/dev/null" } == "/dev/null: not a regular file")
        #expect(try refusal { $0.image = "" }?.contains("No such file or directory") == true)
        let empty = try folder.file("empty", [])
        #expect(try refusal { $0.image = empty } == "\(empty): the file is empty")
        let text = try folder.file("text", Array("#!/bin/sh\n".utf8))
        #expect(try refusal { $0.image = text }?.hasPrefix("\(text): not an ELF image but a script") == true)
    }

    @Test func moduleMustBeAFileThatCanBeRead() throws {
        #expect(try refusal { $0.module = "\(folder.path)/no" } == "\(folder.path)/no: No such file or directory")
        #expect(try refusal { $0.module = folder.path } == "\(folder.path): Is a directory")
        let fifo = "\(folder.path)/fifo"
        #expect(mkfifo(fifo, 0o600) == 0)
        #expect(try refusal { $0.module = fifo } == "\(fifo): not a regular file")
        #expect(try refusal { $0.image = fifo } == "\(fifo): not a regular file")
    }

    @Test func memoryMustHoldTheImageAndExist() throws {
        let large = try folder.file("large", [])
        #expect(truncate(large, 100 << 20) == 0)
        #expect(
            try refusal { $0.module = large }
                == "\(folder.path)/guest.elf: needs at least 101 MiB of memory, the machine has 64 MiB: use --mem 101")
        #expect(truncate(large, 1 << 40) == 0)
        #expect(try refusal { $0.module = large }?.contains("it does not fit below 3 GiB") == true)
        let tooMuch = try refusal { $0.memorySize = (Processor.memorySize() & ~4095) + 4096 }
        #expect(tooMuch?.contains("is more than this host's") == true)
    }

    @Test func moduleThatShrinksIsAnError() throws {
        let memory = try GuestMemory(low: 0x1_0000..<0x10_0000)
        let path = try folder.file("module", [UInt8](repeating: 7, count: 5000))
        let module = try ModuleFile(path)
        #expect(module.size == 5000)
        #expect(truncate(path, 100) == 0)
        #expect { try module.load(into: memory, at: 0x8_0000) } throws: { error in
            (error as? MachineError)?.message == "\(path): the file became shorter: Input/output error"
        }
        let whole = try ModuleFile(path)
        try whole.load(into: memory, at: 0x8_0000)
        #expect(memory.bytes(GuestAddress(0x8_0000), 100) == [UInt8](repeating: 7, count: 100))
    }

    @Test func noModuleIsNothing() throws {
        let memory = try GuestMemory(low: 0x1_0000..<0x10_0000)
        let none = try ModuleFile(nil)
        #expect(none.size == 0)
        try none.load(into: memory, at: 0)
        let empty = try ModuleFile(try folder.file("empty", []))
        try empty.load(into: memory, at: 0x8_0000)
    }

    @Test func imageKeepsItsSymbols() throws {
        let path = try folder.file("full.elf", ELFBuilder.fullGuest().build())
        let source = try ImageFile(path)
        #expect(unlink(path) == 0)
        #expect(
            source.image.symbol(at: 0x4_0012)?.description == "start+0x2", "also when the file has no name any more")
    }
}
