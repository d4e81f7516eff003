/**
 * Compiles modules to be stepped: every function that can reach an access of `#atomics` becomes a generator that stops
 * before it. Nothing else of the code changes. Which functions those are is found by name, over all modules at once: a name
 * too many costs time only, for a call looks at run time whether what it got is to be stepped.
 *
 * - f(a) {…} becomes f(a) { return new $Call((function* () {…}).call(this)) }; so do getters and arrow functions
 * - a constructor becomes the static generator `$new`
 * - o.f(x) becomes (($v = o.f(x)) instanceof $Stepped ? yield* $v : $v)
 * - an async function (the loop's) becomes a plain one, whose `await` goes on at once
 */
import ts from 'typescript'

const RUNTIME = new URL('./stepped.js', import.meta.url).href
const ARRAY_METHODS = new Set(['map', 'forEach', 'every', 'some'])

type FunctionLike =
  | ts.FunctionDeclaration
  | ts.FunctionExpression
  | ts.MethodDeclaration
  | ts.AccessorDeclaration
  | ts.ArrowFunction
  | ts.ConstructorDeclaration

export interface Source {
  readonly url: string
  readonly text: string
}

/** @returns the compiled text of each module, by URL */
export function compile(sources: readonly Source[]): Map<string, string> {
  const files = sources.map(({ url, text }) => ts.createSourceFile(url, text, ts.ScriptTarget.ESNext, true))
  const names = namesToStep(files)
  return new Map(files.map((file) => [file.fileName, new Emitter(file, names).emitFile()]))
}

/** Names of functions and methods as they are called, `get x` of getters, `new X` of classes. */
function namesToStep(files: readonly ts.SourceFile[]): ReadonlySet<string> {
  const functions = files.flatMap((file) => {
    const seam = seamNames(file)
    return functionsOf(file).map((node) => ({ node, name: nameOf(node), uses: usesOf(node, seam) }))
  })
  const names = new Set<string>([SEAM])
  for (let before = 0; before !== names.size;) {
    before = names.size
    for (const { node, name, uses } of functions) {
      if (!isGenerator(node) && uses.some((use) => names.has(use))) names.add(name)
    }
  }
  return names
}

const SEAM = 'seam'

function seamNames(file: ts.SourceFile): ReadonlySet<string> {
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || (statement.moduleSpecifier as ts.StringLiteral).text !== '#atomics')
      continue
    const bindings = statement.importClause!.namedBindings as ts.NamedImports
    return new Set(bindings.elements.map(({ name }) => name.text))
  }
  return new Set()
}

function functionsOf(file: ts.SourceFile): FunctionLike[] {
  const found: FunctionLike[] = []
  const visit = (node: ts.Node): void => {
    if (isFunction(node) && node.body !== undefined) found.push(node)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** The user's generators stay as they are. */
function isGenerator(node: FunctionLike): boolean {
  return 'asteriskToken' in node && node.asteriskToken !== undefined
}

function isFunction(node: ts.Node): node is FunctionLike {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isMethodDeclaration(node) ||
    ts.isAccessor(node) ||
    ts.isArrowFunction(node) ||
    ts.isConstructorDeclaration(node)
  )
}

/** Private names count as public ones: a private field may hold what was given under the same name. */
function nameOf(node: FunctionLike): string {
  return namedBy(node).replace('#', '')
}

function namedBy(node: FunctionLike): string {
  if (ts.isConstructorDeclaration(node)) return `new ${node.parent.name!.text}`
  const own = node.name?.getText()
  if (ts.isGetAccessor(node)) return `get ${own}`
  if (ts.isSetAccessor(node)) return `set ${own}`
  if (own !== undefined) return own
  const { parent } = node
  if (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent) || ts.isPropertyAssignment(parent))
    return parent.name.getText()
  return `at ${node.getSourceFile().fileName}:${node.pos}`
}

/** Names of all that the function calls, reads and makes itself, and of its callbacks that arrays call. */
function usesOf(owner: FunctionLike, seam: ReadonlySet<string>): string[] {
  const uses: string[] = []
  const visit = (node: ts.Node): void => {
    if (isFunction(node)) {
      if (isArrayCallback(node)) uses.push(nameOf(node))
      return
    }
    if (ts.isCallExpression(node)) {
      const name = calleeOf(node)
      if (name !== undefined) uses.push(ts.isIdentifier(node.expression) && seam.has(name) ? SEAM : name)
    } else if (ts.isNewExpression(node)) uses.push(`new ${node.expression.getText()}`)
    else if (ts.isPropertyAccessExpression(node)) uses.push(`get ${node.name.text.replace('#', '')}`)
    ts.forEachChild(node, visit)
  }
  visit(owner.body!)
  return uses
}

function calleeOf({ expression }: ts.CallExpression): string | undefined {
  if (ts.isIdentifier(expression)) return expression.text
  return ts.isPropertyAccessExpression(expression) ? expression.name.text.replace('#', '') : undefined
}

/** `array.map((x) => …)` and its like: the callback runs within the call. */
function isArrayCallback(node: ts.Node): boolean {
  const { parent } = node
  return ts.isCallExpression(parent) && parent.arguments[0] === node && ARRAY_METHODS.has(calleeOf(parent) ?? '')
}

class Emitter {
  readonly #file: ts.SourceFile
  readonly #names: ReadonlySet<string>
  readonly #seam: ReadonlySet<string>

  constructor(file: ts.SourceFile, names: ReadonlySet<string>) {
    this.#file = file
    this.#names = names
    this.#seam = seamNames(file)
  }

  emitFile(): string {
    const prelude = `import { Stepped as $Stepped, Call as $Call, arrays as $arrays } from ${JSON.stringify(RUNTIME)}; let $v; `
    return prelude + this.#emit(this.#file, false)
  }

  #isStepped(node: ts.Node): node is FunctionLike {
    return isFunction(node) && node.body !== undefined && !isGenerator(node) && this.#names.has(nameOf(node))
  }

  /** @param stepped whether the code stands in a stepped function */
  #emit(node: ts.Node, stepped: boolean): string {
    if (isFunction(node)) return this.#isStepped(node) ? this.#emitFunction(node) : this.#copy(node, false)
    if (!stepped) return this.#copy(node, false)
    if (ts.isCallExpression(node)) return this.#emitCall(node)
    if (ts.isNewExpression(node) && this.#names.has(`new ${node.expression.getText()}`)) {
      const given = (node.arguments ?? []).map((argument) => this.#emit(argument, true))
      return `(yield* ${node.expression.getText()}.$new(${given.join(', ')}))`
    }
    if (
      ts.isPropertyAccessExpression(node) &&
      this.#names.has(`get ${node.name.text.replace('#', '')}`) &&
      !isTarget(node)
    )
      return this.#delegate(this.#copy(node, true))
    if (ts.isAwaitExpression(node)) return `(${this.#emit(node.expression, true)}, undefined)`
    return this.#copy(node, true)
  }

  #emitCall(node: ts.CallExpression): string {
    const name = calleeOf(node)
    const [first] = node.arguments
    if (first !== undefined && isArrayCallback(first) && this.#isStepped(first)) {
      const array = (node.expression as ts.PropertyAccessExpression).expression
      return `(yield* $arrays.${name}(${this.#emit(array, true)}, ${this.#emit(first, true)}))`
    }
    const isSeam = ts.isIdentifier(node.expression) && this.#seam.has(name!)
    // What a private field holds may have been given under any name.
    const isPrivate = ts.isPropertyAccessExpression(node.expression) && ts.isPrivateIdentifier(node.expression.name)
    const mayStep = name === undefined || isSeam || isPrivate || this.#names.has(name)
    return mayStep ? this.#delegate(this.#copy(node, true)) : this.#copy(node, true)
  }

  #delegate(text: string): string {
    return `(($v = ${text}) instanceof $Stepped ? yield* $v : $v)`
  }

  #emitFunction(node: FunctionLike): string {
    const { body } = node
    const text = ts.isBlock(body!) ? this.#copy(body, true) : `{ return ${this.#emit(body!, true)} }`
    if (ts.isConstructorDeclaration(node)) {
      const parameters = node.parameters.map((parameter) => this.#emit(parameter, false)).join(', ')
      const made = `(function* () { ${text}; return this }).call(new ${node.parent.name!.text}())`
      return `static $new(${parameters}) { return ${made} }`
    }
    const head = this.#file.text.slice(node.getStart(), body!.getStart()).replace(/^async /, '')
    return `${head}{ return new $Call((function* () ${text}).call(this)) }`
  }

  /** The text of a node as it is, but for what is in it. */
  #copy(node: ts.Node, stepped: boolean): string {
    let text = ''
    let at = node.getStart()
    ts.forEachChild(node, (child) => {
      text += this.#file.text.slice(at, child.getStart()) + this.#emit(child, stepped)
      at = child.end
    })
    return text + this.#file.text.slice(at, node.end)
  }
}

/** Stands where something is assigned, or is called: then it is not read here. */
function isTarget(node: ts.PropertyAccessExpression): boolean {
  const { parent } = node
  if (ts.isCallExpression(parent)) return parent.expression === node
  if (ts.isBinaryExpression(parent) && parent.left === node)
    return (
      parent.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      parent.operatorToken.kind <= ts.SyntaxKind.LastAssignment
    )
  if (ts.isPrefixUnaryExpression(parent)) return isStep(parent.operator)
  return ts.isPostfixUnaryExpression(parent)
}

/** `++` and `--`, which assign; `!` and the like only read. */
function isStep(operator: ts.PrefixUnaryOperator): boolean {
  return operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken
}
