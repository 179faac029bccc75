/**
 * By which addresses other machines reach this one.
 *
 * @module
 */

/** What the runtimes tell of a network interface. */
export interface InterfaceAddress {
  readonly address: string;
}

/** The addresses that others can use: not those of this machine alone, and not those of one cable (link-local). IPv4 first. */
export function reachableAddresses(all: readonly InterfaceAddress[]): readonly string[] {
  const reachable = all.map(({ address }) => address).filter((address) => {
    return !/^(127\.|169\.254\.|::1$|fe[89ab])/i.test(address);
  });
  const isIpv6 = (address: string) => address.includes(":");
  return [...reachable.filter((address) => !isIpv6(address)), ...reachable.filter(isIpv6)];
}
