// A list of few elements that lives in place.
//
// The first array of every element type costs a program 5 to 10 us: the runtime makes its storage class from a mangled
// name. A start of a machine would need a dozen of them, a sixth of its time; with this it needs none.
// Read next: ELFImage.swift.

/// At most `capacity` elements, in the order they were appended. Copying copies all of it; use an array for many.
@frozen
public struct ShortList<Element, let capacity: Int>: RandomAccessCollection {
    @usableFromInline var storage: InlineArray<capacity, Element?>
    @usableFromInline var used = 0

    @inlinable
    public init() { storage = InlineArray(repeating: nil) }

    /// False when the list is full.
    @inlinable
    @discardableResult
    public mutating func append(_ element: Element) -> Bool {
        guard used < capacity else { return false }
        storage[used] = element
        used += 1
        return true
    }

    @inlinable
    public var startIndex: Int { 0 }

    @inlinable
    public var endIndex: Int { used }

    @inlinable
    public subscript(index: Int) -> Element {
        get {
            guard index < used, let element = storage[index] else { preconditionFailure("index out of range") }
            return element
        }
        set { storage[index] = newValue }
    }
}

extension ShortList: Sendable where Element: Sendable {}

extension ShortList: ExpressibleByArrayLiteral {
    /// Elements over the capacity are left out.
    public init(arrayLiteral elements: Element...) {
        self.init()
        for element in elements { append(element) }
    }
}

extension ShortList: Equatable where Element: Equatable {
    public static func == (a: ShortList, b: ShortList) -> Bool { a.elementsEqual(b) }
}
