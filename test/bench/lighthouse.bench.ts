import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { startSite } from '../setup/site.ts'

/*
 * Lighthouse on pages of a fresh site, on the phone that it simulates and on a desk. npx fetches it for the occasion: 180 MB
 * that nothing else here needs. `node test/bench/lighthouse.bench.ts [PATH…]`; fails under 98.
 */
const lighthouse = 'lighthouse@13.5.0'
const categories = ['performance', 'accessibility', 'best-practices', 'seo'] as const
const least = 98
const reported = z.object({ categories: z.record(z.string(), z.object({ score: z.number().nullable() })) })

const paths = process.argv.slice(2)
const site = await startSite()
const scratch = await mkdtemp(join(tmpdir(), 'wv-lighthouse-'))
try {
  for (const path of paths.length > 0 ? paths : ['/compare/claude-4-sonnet-vs-smolvlm2'])
    for (const form of ['mobile', 'desktop'] as const) print(path, form, await measure(path, form))
} finally {
  await rm(scratch, { recursive: true })
  await site.stop()
}

async function measure(path: string, form: 'mobile' | 'desktop'): Promise<readonly number[]> {
  const output = join(scratch, 'report.json')
  const flags = ['--chrome-flags=--headless --no-sandbox', `--only-categories=${categories}`, '--quiet']
  if (form === 'desktop') flags.push('--preset=desktop')
  const asked = [lighthouse, site.url + path, ...flags, '--output=json', `--output-path=${output}`]
  await promisify(execFile)('npx', ['--yes', ...asked], {
    cwd: scratch,
    env: { ...process.env, CHROME_PATH: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium' },
  })
  const report = reported.parse(JSON.parse(await readFile(output, 'utf8')))
  return categories.map((category) => Math.round(100 * (report.categories[category]?.score ?? 0)))
}

function print(path: string, form: string, scores: readonly number[]): void {
  const figures = categories.map((category, at) => `${category} ${scores[at]}`)
  console.log(`${path}  ${form.padEnd(7)}  ${figures.join('   ')}`)
  if (scores.some((score) => score < least)) process.exitCode = 1
}
