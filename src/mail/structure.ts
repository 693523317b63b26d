import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * MJML as HTML, its mustaches untouched, made by a process of its own: MJML takes longer to load and more memory than all
 * the rest together, and what does not set mail never pays for it. Throws with what MJML finds wrong.
 */
export function structureOf(template: string): string {
  const compiler = join(import.meta.dirname, 'compile-mjml.ts')
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [compiler], {
    input: template,
    encoding: 'utf8',
    maxBuffer: 16_000_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  if (error) throw error
  if (status !== 0) throw new Error(stderr.trim())
  return lean(stdout)
}

/** Without indentation: between two tags a line break is white space enough. Runs before any data is there. */
export function lean(template: string): string {
  return template.replace(/\s*\n\s*/g, '\n')
}
