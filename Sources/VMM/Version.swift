// Swiftlet's version, in one place for all of its programs.
//
// Read next: swiftlet/Program.swift.

public let swiftletVersion = "0.1.0"
