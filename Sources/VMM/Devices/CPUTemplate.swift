// `--cpu`: which CPU a kernel is told that it has: all that this host can give (max), what every x86-64 has (min), or what a
// file says.
//
// The file is text, a line for each change, in order; docs/kernels.md has its form. Here it is read and applied to CPUID's
// leaves; numbers that tell one CPU of the machine from another come later (KernelCPUID.swift). Read next: KernelCPUID.swift.

import Boot
import Deprivileged
import Host
import KVM

/// The value of `--cpu`.
public enum CPUTemplate: Equatable, Sendable {
    case max
    case min
    case file(String)

    package var path: String? { if case .file(let path) = self { path } else { nil } }

    public init(_ text: String) {
        switch text {
        case "max": self = .max
        case "min": self = .min
        default: self = .file(text)
        }
    }
}

/// What a template comes to.
struct CPUEdits: Equatable, Sendable {
    struct Edit: Equatable, Sendable {
        var leaf: UInt32
        var subleaf: UInt32?
        var register: CPUIDRegister
        var and: UInt32
        var or: UInt32
    }

    /// Everything that x86-64 was in the beginning, and no more.
    var isMinimal = false
    var edits: [Edit] = []

    static let largestFile: UInt64 = 64 << 10

    init() {}

    init(_ template: CPUTemplate?) throws(MachineError) {
        switch template {
        case nil, .max?: break
        case .min?: isMinimal = true
        case .file(let path)?:
            let file = try fromHost(try File.regular(path))
            let size = try fromHost(try file.size())
            if size > Self.largestFile { throw .image(path, .boot(.cpuTemplate(line: 0, "is larger than 64 KiB"))) }
            let bytes = try fromHost(try file.read(at: 0, Int(size)))
            do throws(BootError) {
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    throw .cpuTemplate(line: 0, "is no text, but a template is: docs/kernels.md")
                }
                self = try CPUEdits(text: text)
            } catch { throw .image(path, .boot(error)) }
        }
    }

    /// Reads a template's text.
    init(text: String) throws(BootError) {
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(quotable)
            if words.isEmpty { continue }
            do throws(LineError) { try take(words) } catch { throw .cpuTemplate(line: index + 1, error.message) }
        }
    }

    /// A word as an error may show it: a file that is no text has long ones.
    private func quotable(_ word: Substring) -> String {
        let longest = 80
        return printable(word.count > longest ? word.prefix(longest) + "..." : word)
    }

    private struct LineError: Error {
        let message: String
        init(_ message: String) { self.message = message }
    }

    private mutating func take(_ words: [String]) throws(LineError) {
        switch words.count {
        case 1 where words[0] == "min" || words[0] == "max":
            if !edits.isEmpty { throw LineError("'\(words[0])' is what all changes start from: put it first") }
            isMinimal = words[0] == "min"
        case 2 where words[1] == "off":
            guard let feature = CPUFeature(words[0]) else {
                throw LineError("'\(words[0])' is no feature that has a name: names are those of /proc/cpuinfo")
            }
            edits.append(Edit(off: feature))
        case 4 where words[2] == "=": edits.append(try edit(words))
        default:
            let start = words.prefix(4).joined(separator: " ")
            throw LineError("'\(start)': LEAF[.SUBLEAF] REGISTER = AND[/OR], or NAME off")
        }
    }

    private func edit(_ words: [String]) throws(LineError) -> Edit {
        let place = words[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let leaf = number(place[0]) else {
            throw LineError("'\(place[0])' is no leaf: a number of 32 bits, as 0x7")
        }
        var subleaf: UInt32?
        if place.count == 2 {
            subleaf = number(place[1])
            if subleaf == nil { throw LineError("'\(place[1])' is no subleaf: a number of 32 bits") }
        }
        guard let register = CPUIDRegister(rawValue: words[1]) else {
            throw LineError("'\(words[1])' is no register: eax, ebx, ecx or edx")
        }
        let masks = words[3].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let and = number(masks[0]), let or = masks.count == 2 ? number(masks[1]) : 0 else {
            throw LineError("'\(words[3])': AND[/OR] are numbers of 32 bits, as 0xff or ~0x10")
        }
        return Edit(leaf: leaf, subleaf: subleaf, register: register, and: and, or: or)
    }

    /// Decimal, 0x and hexadecimal, either behind ~ for all other bits.
    private func number(_ text: String) -> UInt32? {
        if text.hasPrefix("~") { return number(String(text.dropFirst())).map { ~$0 } }
        let isHexadecimal = text.hasPrefix("0x")
        let digits = isHexadecimal ? text.dropFirst(2) : text[...]
        return digits.first == "+" || digits.first == "-" ? nil : UInt32(digits, radix: isHexadecimal ? 16 : 10)
    }
}

extension CPUEdits.Edit {
    init(off feature: CPUFeature) {
        self.init(
            leaf: feature.leaf, subleaf: feature.subleaf, register: feature.register, and: ~(1 << feature.bit), or: 0)
    }
}

extension CPUEdits {
    /// What becomes of the leaves that KVM supports. `emulates`: ring 0's instructions are emulated here.
    func apply(to supported: [CPUIDLeaf], emulates: Bool) -> [CPUIDLeaf] {
        var leaves = supported
        if isMinimal { leaves = Self.baseline(supported) }
        if emulates, !isMinimal {
            for case let feature? in CPUFeature.notEmulated.map({ CPUFeature($0) }) {
                Edit(off: feature).apply(to: &leaves)
            }
        }
        for edit in edits { edit.apply(to: &leaves) }
        return leaves
    }

    /// x86-64 as the System V psABI has it as its baseline (x86-64-v1), with what a machine of ours is made of: APICs, and
    /// the clock's features.
    private static func baseline(_ supported: [CPUIDLeaf]) -> [CPUIDLeaf] {
        let highest: UInt32 = 0x1f
        return supported.compactMap { leaf in
            var leaf = leaf
            switch leaf.leaf {
            case 0: leaf.eax = Swift.min(leaf.eax, highest)
            case 1:
                leaf.ecx &= 1 << 31 | 1 << 24 | 1 << 21  // hypervisor, the APIC's timer by TSC deadlines, x2APIC
                leaf.edx &= 0x178b_fbff  // all up to SSE2, and how many processors there are
            case 0x8000_0001: (leaf.ecx, leaf.edx) = (0, leaf.edx & 0x2010_0800)  // SYSCALL, NX, long mode
            case 0x8000_0000: leaf.eax = Swift.min(leaf.eax, 0x8000_0008)
            case 0x8000_0008: leaf.ebx = 0
            case 2, 4, 0xb, 0x1f, 0x8000_0002...0x8000_0007, 0x4000_0000...0x4000_00ff: break
            default: return nil
            }
            return leaf
        }
    }
}

extension CPUEdits.Edit {
    /// A leaf that is not there is made where bits are to be set.
    func apply(to leaves: inout [CPUIDLeaf]) {
        let places = leaves.indices.filter { index in
            leaves[index].leaf == leaf && (subleaf == nil || (leaves[index].subleaf ?? 0) == subleaf)
        }
        for index in places { leaves[index][register] = leaves[index][register] & and | or }
        if !places.isEmpty || or == 0 { return }
        var new = CPUIDLeaf(leaf: leaf, subleaf: subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0)
        new[register] = or
        leaves.append(new)
    }
}

extension CPUIDLeaf {
    subscript(register: CPUIDRegister) -> UInt32 {
        get {
            switch register {
            case .eax: eax
            case .ebx: ebx
            case .ecx: ecx
            case .edx: edx
            }
        }
        set {
            switch register {
            case .eax: eax = newValue
            case .ebx: ebx = newValue
            case .ecx: ecx = newValue
            case .edx: edx = newValue
            }
        }
    }
}
