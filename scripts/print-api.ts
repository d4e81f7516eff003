/** Prints `docs/api.md` from the declarations that are published: `node build/scripts/print-api.js`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../', import.meta.url))
const HEAD = `# API

Every name that the entry points export, with what it takes and gives. Printed from the source: \`node build/scripts/print-api.js\`.
`

/** Every export of every entry point, in the order of their names. */
export function apiPage(): string {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    exports: Record<string, string | { types: string }>
  }
  const entries = Object.entries(exports).flatMap(([name, entry]) =>
    typeof entry === 'object' ? [{ name: `millrace${name.slice(1)}`, file: root + entry.types.slice(2) }] : [],
  )
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, skipLibCheck: true },
  )
  const checker = program.getTypeChecker()
  const known = new Map<ts.Symbol, string>()
  const sections = entries.map(({ name, file }) => {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!
    const symbols = checker.getExportsOfModule(module).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const parts = symbols.map((symbol) => {
      const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
      const before = known.get(real)
      if (before !== undefined) return `- \`${symbol.name}\`: see \`${before}\`.`
      known.set(real, name)
      return partOf(symbol.name, real, checker)
    })
    return `## ${name}\n\n${parts.filter((part) => part.startsWith('-')).join('\n')}\n\n${parts.filter((part) => !part.startsWith('-')).join('\n\n')}`
  })
  return `${[HEAD, ...sections]
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`
}

function partOf(name: string, symbol: ts.Symbol, checker: ts.TypeChecker): string {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
  const throws = symbol
    .getJsDocTags(checker)
    .filter((tag) => tag.name === 'throws')
    .map((tag) => `Throws ${ts.displayPartsToString(tag.text)}`)
  const code = (symbol.declarations ?? []).filter((each) => !ts.isSourceFile(each)).map(codeOf)
  return [`### ${name}`, text, ...throws, `\`\`\`ts\n${code.join('\n')}\n\`\`\``]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** A declaration as it is published: without what is private, and without the word that says that it is published. */
function codeOf(node: ts.Declaration): string {
  const statement = ts.isVariableDeclaration(node) ? node.parent.parent : node
  return statement
    .getText()
    .replaceAll(/^(?:export )?declare |^export (?:default )?/g, '')
    .replaceAll(/\n +#private;/g, '')
    .replaceAll(/\n +private .*/g, '')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(`${root}docs/api.md`, apiPage())
