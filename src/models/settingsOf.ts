/** The settings of a configuration: what a network is made of. */

/** All but the kind, which names the family. */
export const settingsOf = <C extends { readonly kind?: unknown }>(config: C): Omit<C, 'kind'> => {
  const { kind: _, ...settings } = config
  return settings
}
