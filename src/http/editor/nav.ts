/** The desk's sections, in the order in which they stand in its head. A page names the one it belongs to. */
export const sections = [
  { name: 'week', label: 'This week', path: '/desk' },
  { name: 'issues', label: 'Issues', path: '/desk/issues' },
  { name: 'log', label: 'Log', path: '/desk/log' },
] as const

export type Section = (typeof sections)[number]['name']
