// One image, all the way: recognised, checked, planned, loaded; or refused with one line. A fuzzer for each format.
//
// The input is the file. Bytes 8 to 15, which ELF leaves unused (EI_PAD) and other formats have nothing of weight in, say
// how the world treats it meanwhile: how much memory there is, whether the file shrinks, how it boots as a kernel.
// Read next: RingThreeRun.swift, HvtImageRun.swift, KernelPlanRun.swift.

import Boot
import CFuzz
import Glibc

/// What a file is taken for.
public enum ImageFormat {
    case swiftlet, solo5, multiboot, pvh, linux, flat
}

/// The world around an image, and its file.
struct ImageWorld {
    let file: Int32
    let fileSize: UInt64
    /// 0 nothing happens, 1 the file is shorter than it was said to be, 2 it shrinks before it is loaded.
    private let accident: UInt8
    private let shrunkTo: UInt64
    let memorySize: UInt64
    let moduleSize: UInt64
    let argument: String
    let method: Int

    init(_ file: Int32, _ content: UnsafeBufferPointer<UInt8>) {
        func byte(_ offset: Int) -> UInt64 { offset < content.count ? UInt64(content[offset]) : 0 }
        self.file = file
        fileSize = UInt64(content.count)
        accident = UInt8(byte(8) & 3)
        shrunkTo = min(byte(9) | byte(10) << 8, UInt64(content.count))
        memorySize = (1 << 20) + (byte(11) & 7) << 19
        moduleSize = byte(12) << 10
        argument = String(repeating: "x", count: Int(byte(13)) << 8)
        method = Int(byte(14))
    }

    /// The file shrinks, if that is its fate at this moment.
    func shrink(_ moment: UInt8) { if accident == moment { ftruncate(file, off_t(shrunkTo)) } }
}

private let file = cfuzz_memory_file()

/// Loads an image. What is loaded obeys its format's rules; what is refused has a message, and is returned.
@discardableResult
public func loadImage(_ input: UnsafeBufferPointer<UInt8>, as format: ImageFormat) -> ImageError? {
    let world = ImageWorld(file, input)
    ftruncate(file, 0)
    pwrite(file, input.baseAddress, input.count, 0)
    world.shrink(1)
    survey(world)
    do throws(ImageError) {
        switch format {
        case .swiftlet: try loadRingThree(world)
        case .solo5: try loadUnikernel(world)
        case .multiboot: try planKernel(world, [.multiboot])
        case .pvh: try planKernel(world, [.pvh])
        case .linux: try planKernel(world, [.linux])
        case .flat: try planKernel(world, flatMethods)
        }
        return nil
    } catch {
        let message = error.message
        require(!message.isEmpty && !message.contains("\n"), "a message of one line: \(message)")
        return error
    }
}

/// What `swiftlet inspect` reads, whether or not the image can run.
private func survey(_ world: ImageWorld) {
    guard let survey = ELFSurvey(fd: world.file, fileSize: world.fileSize) else { return }
    require(survey.headers.count <= survey.headerCount, "no more headers than claimed")
    _ = survey.kind.words
}
