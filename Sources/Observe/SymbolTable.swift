// From an address to a name, quickly and often: for traces and profiles, which ask at every exit.
//
// Read next: Stacks.swift.

/// Symbols sorted by address. A lookup is a binary search.
public struct SymbolTable: Sendable {
    private struct Symbol {
        var address: UInt64
        /// 0: up to the next one.
        var size: UInt64
        var name: String
    }

    private var symbols: [Symbol] = []
    /// Bytes that symbols may take, three times a Linux kernel's: an image can name millions. The rest has no names.
    static let capacity = 64 << 20

    public init() {}

    /// `add` is given to `collect`, which calls it for each symbol in the file's order: of two at one address the later wins.
    public init(_ collect: (_ add: (_ address: UInt64, _ size: UInt64, _ name: String) -> Void) -> Void) {
        var symbols: [Symbol] = []
        var bytes = 0
        collect { address, size, name in
            bytes += MemoryLayout<Symbol>.stride + name.utf8.count
            if bytes <= Self.capacity { symbols.append(Symbol(address: address, size: size, name: name)) }
        }
        let order = symbols.indices.sorted { (symbols[$0].address, $0) < (symbols[$1].address, $1) }
        self.symbols = order.map { symbols[$0] }
    }

    /// The symbol that `address` lies in, and how far behind its start.
    public func symbol(at address: UInt64) -> (name: String, offset: UInt64)? {
        var (low, high) = (0, symbols.count)
        while low < high {
            let middle = (low + high) / 2
            if symbols[middle].address <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let best = symbols[low - 1]
        guard best.size == 0 || address - best.address < best.size else { return nil }
        return (best.name, address - best.address)
    }

    /// Where the symbol of that name is; of several the one at the lowest address.
    public func address(of name: String) -> UInt64? { symbols.first { $0.name == name }?.address }

    /// "main+0x13"; nil without a symbol.
    public func place(_ address: UInt64) -> String? {
        symbol(at: address).map { "\($0.name)+0x\(String($0.offset, radix: 16))" }
    }

    /// The function's name, or the address where there is none.
    public func function(_ address: UInt64) -> String {
        symbol(at: address)?.name ?? "0x" + String(address, radix: 16)
    }
}
