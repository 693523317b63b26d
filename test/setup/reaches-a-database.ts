import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const connect = join(import.meta.dirname, '../../db/connect.ts')

/**
 * Whether a file opens databases or may name, at whatever distance, one that does; to all others it makes no difference
 * which database there is. In doubt it may: any path of a module counts, unless a line imports nothing but its types.
 */
export function reachesADatabase(file: string, seen = new Set<string>()): boolean {
  if (file === connect) return true
  if (seen.has(file)) return false
  seen.add(file)
  const source = readFileSync(file, 'utf8')
  return (
    source.includes('process.env.TEST_DATABASE_URL') ||
    namedIn(source, dirname(file)).some((named) => reachesADatabase(named, seen))
  )
}

function namedIn(source: string, folder: string): readonly string[] {
  const code = source.replace(/^import type .*$/gm, '')
  const paths = [...code.matchAll(/['"](\.{1,2}\/[^'"\n]+\.ts)['"]/g)].map(([, path = '']) =>
    join(folder, path),
  )
  return paths.filter((path) => existsSync(path))
}
