// The rows of `swiftlet bench memory`.
//
// Read next: Startup/StartupRows.swift.

func memoryExperiments(_ equipment: Equipment) -> [any Experiment] { [] }
