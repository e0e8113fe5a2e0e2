// The rows of `swiftlet bench startup`.
//
// Read next: Report/.

func startupExperiments(_ equipment: Equipment) -> [any Experiment] { [] }
