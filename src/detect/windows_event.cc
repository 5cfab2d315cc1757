#include "detect/windows_event.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Channels in lower case.
constexpr std::array services{
    Pair{"security", "security"},
    Pair{"system", "system"},
    Pair{"application", "application"},
    Pair{"windows powershell", "powershell-classic"},
    Pair{"dns server", "dns-server"},
    Pair{"msexchange management", "msexchange-management"},
    Pair{"microsoft-windows-powershell/operational", "powershell"},
    Pair{"powershellcore/operational", "powershell"},
    Pair{"microsoft-windows-sysmon/operational", "sysmon"},
    Pair{"microsoft-windows-windows defender/operational", "windefend"},
    Pair{"microsoft-windows-taskscheduler/operational", "taskscheduler"},
    Pair{"microsoft-windows-bits-client/operational", "bits-client"},
    Pair{"microsoft-windows-wmi-activity/operational", "wmi"},
    Pair{"microsoft-windows-ntlm/operational", "ntlm"},
    Pair{"microsoft-windows-codeintegrity/operational", "codeintegrity-operational"},
    Pair{"microsoft-windows-appxdeploymentserver/operational", "appxdeployment-server"},
    Pair{"microsoft-windows-appxpackaging/operational", "appxpackaging-om"},
    Pair{"microsoft-windows-appmodel-runtime/admin", "appmodel-runtime"},
    Pair{"microsoft-windows-shell-core/operational", "shell-core"},
    Pair{"microsoft-windows-windows firewall with advanced security/firewall", "firewall-as"},
    Pair{"microsoft-windows-dns-client/operational", "dns-client"},
    Pair{"microsoft-windows-dns-server/analytical", "dns-server-analytic"},
    Pair{"microsoft-windows-dns-server/audit", "dns-server-audit"},
    Pair{"microsoft-windows-driverframeworks-usermode/operational", "driver-framework"},
    Pair{"microsoft-windows-ldap-client/debug", "ldap"},
    Pair{"microsoft-windows-lsa/operational", "lsa-server"},
    Pair{"microsoft-windows-printservice/admin", "printservice-admin"},
    Pair{"microsoft-windows-printservice/operational", "printservice-operational"},
    Pair{"microsoft-windows-smbclient/security", "smbclient-security"},
    Pair{"microsoft-windows-smbclient/connectivity", "smbclient-connectivity"},
    Pair{"microsoft-windows-smbserver/connectivity", "smbserver-connectivity"},
    Pair{"microsoft-windows-applocker/exe and dll", "applocker"},
    Pair{"microsoft-windows-applocker/msi and script", "applocker"},
    Pair{"microsoft-windows-applocker/packaged app-deployment", "applocker"},
    Pair{"microsoft-windows-applocker/packaged app-execution", "applocker"},
    Pair{"microsoft-windows-security-mitigations/kernel mode", "security-mitigations"},
    Pair{"microsoft-windows-security-mitigations/user mode", "security-mitigations"},
    Pair{"microsoft-windows-terminalservices-localsessionmanager/operational",
         "terminalservices-localsessionmanager"},
    Pair{"microsoft-windows-capi2/operational", "capi2"},
    Pair{"microsoft-windows-certificateservicesclient-lifecycle-system/operational",
         "certificateservicesclient-lifecycle-system"},
    Pair{"microsoft-windows-diagnosis-scripted/operational", "diagnosis-scripted"},
    Pair{"microsoft-iis-configuration/operational", "iis-configuration"},
    Pair{"microsoft-servicebus-client", "microsoft-servicebus-client"},
    Pair{"openssh/operational", "openssh"}};

constexpr std::array sysmon{Pair{"1", "process_creation"},
                            Pair{"2", "file_change"},
                            Pair{"3", "network_connection"},
                            Pair{"4", "sysmon_status"},
                            Pair{"5", "process_termination"},
                            Pair{"6", "driver_load"},
                            Pair{"7", "image_load"},
                            Pair{"8", "create_remote_thread"},
                            Pair{"9", "raw_access_thread"},
                            Pair{"10", "process_access"},
                            Pair{"11", "file_event"},
                            Pair{"13", "registry_set"},
                            Pair{"14", "registry_rename"},
                            Pair{"15", "create_stream_hash"},
                            Pair{"16", "sysmon_status"},
                            Pair{"17", "pipe_created"},
                            Pair{"18", "pipe_created"},
                            Pair{"19", "wmi_event"},
                            Pair{"20", "wmi_event"},
                            Pair{"21", "wmi_event"},
                            Pair{"22", "dns_query"},
                            Pair{"23", "file_delete"},
                            Pair{"25", "process_tampering"},
                            Pair{"26", "file_delete"},
                            Pair{"27", "file_block_executable"},
                            Pair{"28", "file_block_shredding"},
                            Pair{"29", "file_executable_detected"},
                            Pair{"255", "sysmon_error"}};

constexpr std::array powershell{Pair{"4103", "ps_module"}, Pair{"4104", "ps_script"}};
constexpr std::array powershell_classic{Pair{"400", "ps_classic_start"},
                                        Pair{"600", "ps_classic_provider_start"},
                                        Pair{"800", "ps_module"}};
constexpr std::array security{Pair{"4688", "process_creation"}};

constexpr std::array process_names{Pair{"NewProcessName", "Image"},
                                   Pair{"ParentProcessName", "ParentImage"},
                                   Pair{"SubjectLogonId", "LogonId"}};

std::string_view look_up(const auto& table, std::string_view key) {
  const auto found = std::ranges::find(table, key, &Pair::first);
  return found == table.end() ? std::string_view() : found->second;
}

std::string_view category_of(std::string_view service, std::string_view id, std::string_view kind) {
  if (service == "sysmon" && id == "12") {
    return kind.starts_with("Delete") ? "registry_delete" : "registry_add";
  }
  if (service == "sysmon") return look_up(sysmon, id);
  if (service == "powershell") return look_up(powershell, id);
  if (service == "powershell-classic") return look_up(powershell_classic, id);
  if (service == "security") return look_up(security, id);
  return {};
}

constexpr std::string_view attributes = ".#attributes.";
constexpr std::string_view text_ending = ".#text";

bool take(std::string_view& path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  path.remove_prefix(prefix.size());
  return true;
}

}  // namespace

bool is_windows_path(std::string_view path) {
  return path.starts_with("Event.");
}

void append_windows_name(std::string& out, std::string_view path) {
  if (!take(path, "Event.")) return;
  if (path.ends_with(text_ending)) path.remove_suffix(text_ending.size());
  if (take(path, "System.")) {
    const std::size_t at = path.find(attributes);
    out += path.substr(0, at);
    if (at == path.npos) return;
    out += '_';
    out += path.substr(at + attributes.size());
    return;
  }
  const bool data = take(path, "EventData.") || take(path, "UserData.");
  if (!data || path.contains("#attributes")) return;
  path.remove_prefix(path.rfind('.') + 1);
  std::ranges::copy_if(path, std::back_inserter(out), [](char c) { return c != ' '; });
}

LogsourceView windows_logsource(std::string_view channel, std::string_view event_id,
                                std::string_view kind) {
  const std::string_view service = look_up(services, to_lower(channel));
  return {
      .product = "windows", .category = category_of(service, event_id, kind), .service = service};
}

std::string_view process_creation_name(std::string_view name) {
  return look_up(process_names, name);
}

}  // namespace mailwarden::detect
