// The process's own arguments, each made a string when it is asked for.
//
// CommandLine.arguments makes an array of strings: the first array of a program costs it 60 us, for the runtime then
// makes its storage class from a mangled name. Read next: Process.swift.

/// argv, the program's name included. Sliced and searched as an array is.
public struct Arguments: RandomAccessCollection, Sendable {
    public init() {}

    public var startIndex: Int { 0 }
    public var endIndex: Int { Int(CommandLine.argc) }

    /// The first argument that is no UTF-8, which a string could only hold changed.
    public var firstInvalid: Int? {
        // Sound: as in the subscript.
        indices.first { index in
            guard let argument = unsafe CommandLine.unsafeArgv[index] else { return false }
            return unsafe String(validatingCString: argument) == nil
        }
    }

    public subscript(index: Int) -> String {
        // Sound: argv has argc strings (C11, 5.1.2.2.1), and nobody here writes to it.
        guard let argument = unsafe CommandLine.unsafeArgv[index] else { return "" }
        return unsafe String(cString: argument)
    }
}
