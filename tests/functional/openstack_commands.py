"""Commands of the openstack client, in an order in which each has what it needs: (user, command).

``=name`` at the end keeps the JSON that a command prints; ``{name[key]}`` puts a part of it into a later one;
``{folder}`` is an empty folder.
"""

IDENTITY = """
demo: token issue =token
demo: catalog list
admin: project create lab
admin: project set --description science lab
admin: project show lab
admin: project list
admin: user create --password x --project lab ann
admin: user set --email ann@example.org ann
admin: user show ann
admin: user list
admin: role create guide
admin: role list
admin: role show guide
admin: role add --project lab --user ann guide
admin: role assignment list --names --project lab
admin: role remove --project lab --user ann guide
admin: implied role create --implied-role reader guide
admin: implied role list
admin: implied role delete --implied-role reader guide
admin: role add --inherited --project lab --user ann guide
admin: role add --inherited --domain default --user ann guide
admin: role assignment list --names --inherited
admin: role assignment list --names --effective --user ann
admin: role remove --inherited --project lab --user ann guide
admin: role remove --inherited --domain default --user ann guide
admin: role delete guide
admin: group create crew
admin: group add user crew ann
admin: group contains user crew ann
admin: group list
admin: group remove user crew ann
admin: group delete crew
admin: domain create north
admin: domain set --disable north
admin: domain list
admin: domain show north
admin: domain delete north
admin: user delete ann
admin: project delete lab
admin: service create --name other dns
admin: endpoint create other public http://127.0.0.1:1 =endpoint
admin: endpoint show {endpoint[id]}
admin: endpoint list
admin: endpoint delete {endpoint[id]}
admin: service show other
admin: service list
admin: service delete other
admin: region list
admin: registered limit create --service nova --default-limit 9 --description many --region RegionOne ships =registered
admin: registered limit set --default-limit 8 {registered[id]}
demo: registered limit show {registered[id]}
admin: registered limit list --service nova
admin: limit create --project demo --service nova --region RegionOne --resource-limit 3 ships =limit
admin: limit set --resource-limit 4 {limit[id]}
demo: limit show {limit[id]}
demo: limit list
admin: limit list --project demo
admin: limit delete {limit[id]}
admin: registered limit delete {registered[id]}
demo: application credential create robot --secret beep
demo: application credential show robot
demo: application credential list
demo: application credential delete robot
demo: ec2 credentials create =keys
demo: ec2 credentials show {keys[access]}
demo: ec2 credentials list
demo: credential list --type ec2
demo: ec2 credentials delete {keys[access]}
demo: token revoke {token[id]}
"""

IMAGES = """
demo: image create --file {folder}/disk --disk-format raw --container-format bare --property os=linux mine
demo: image list
demo: image list --private --name mine
demo: image show mine =image
admin: project show other =other
demo: image set --name ours --property colour=red --tag blue --min-disk 1 mine
demo: image unset --property colour --tag blue ours
demo: image save --file {folder}/saved ours
demo: image set --shared ours
demo: image add project ours {other[id]}
demo: image member list ours
demo: image member get ours {other[id]}
demo: image remove project ours {other[id]}
admin: image set --deactivate {image[id]}
admin: image set --activate {image[id]}
admin: image set --protected {image[id]}
admin: image set --unprotected {image[id]}
demo: image delete ours
demo: image import info
demo: image task list
"""

COMPUTE = """
demo: flavor list
demo: flavor show m1.nano
admin: flavor create --ram 64 --vcpus 1 --disk 1 --property a=b --description small odd
admin: flavor set --property c=d --description smaller odd
admin: flavor set --no-property odd
admin: flavor create --private --ram 64 --vcpus 1 --disk 1 secret
admin: flavor set --project demo secret
admin: flavor unset --project demo secret
admin: flavor delete odd secret
demo: keypair create --public-key {folder}/key.pub mine
demo: keypair list
demo: keypair show mine
demo: server create --flavor m1.nano --image tiny --key-name mine {network} --wait --property a=b vm
demo: server create --flavor m1.nano --image tiny --nic none --tag odd --description alone --wait lone
demo: server create --flavor m1.nano --image tiny --nic auto --min 2 --max 2 --wait twins
admin: flavor create --ram 64 --vcpus 1 --disk 1 --ephemeral 2 --swap 64 roomy
demo: server create --flavor roomy --image tiny --nic none --ephemeral size=1,format=ext4 \
--ephemeral size=1 --swap 32 --wait disks
demo: server create --flavor roomy --image tiny --nic none --use-config-drive --user-data {folder}/key.pub --wait told
demo: server delete --wait disks told
admin: flavor delete roomy
demo: server delete --wait twins-1 twins-2
demo: server list
demo: server list --long
demo: server list --name lone --status ACTIVE --sort-column name:asc --limit 1
admin: server list --all-projects --host host1
demo: server show vm =vm
demo: server show --topology vm
admin: server show --diagnostics {vm[id]}
demo: server volume list vm
demo: server set --name vm2 --property colour=red --description mine --tag blue vm
demo: server unset --property colour --description --tag blue vm2
demo: server set --name vm vm2
demo: server set --password hush vm
demo: server pause vm
demo: server unpause vm
demo: server suspend vm
demo: server resume vm
demo: server stop vm
demo: server start vm
demo: server reboot --wait vm
demo: server reboot --hard --wait vm
demo: server lock --reason why vm
demo: server unlock vm
demo: server rescue vm
demo: server unrescue vm
demo: server rebuild --image tiny --trusted-image-cert one --wait vm
demo: server rebuild --image tiny --no-trusted-image-certs --wait vm
demo: server resize --flavor m1.tiny --wait vm
demo: server resize confirm vm
demo: server resize --flavor m1.nano --wait vm
demo: server resize revert vm
demo: server shelve --wait vm
demo: server unshelve --wait vm
demo: server dump create vm
demo: server image create --name copy --wait vm
demo: server backup create --name safe --type daily --rotate 1 --wait vm
demo: image delete copy safe
demo: server add network lone private
demo: server event list vm =events
demo: server event show vm {events[0][Request ID]}
demo: server group create --policy anti-affinity apart
demo: server group list
demo: server group show apart
demo: server group delete apart
demo: console log show vm
demo: console log show --lines 1 vm
demo: console url show vm
demo: console url show --novnc vm
admin: server set --auto-approve --state error {vm[id]}
admin: server set --auto-approve --state active {vm[id]}
admin: server migration list
demo: server list --deleted
demo: server delete --wait lone
demo: keypair delete mine
demo: limits show --absolute
demo: limits show --rate
demo: extension list --compute
demo: availability zone list --compute
demo: versions show
admin: quota set --cores 21 demo
demo: quota show
admin: quota show --default
admin: quota delete --compute demo
admin: usage list
admin: usage show --project demo
admin: host list
admin: host show host1
admin: host set --disable host1
admin: host set --enable host1
admin: hypervisor list
admin: hypervisor list --long
admin: hypervisor show host1
admin: hypervisor stats show
admin: compute service list
admin: compute service set --disable --disable-reason why host1 nova-compute
admin: compute service set --enable host1 nova-compute
admin: compute service set --down host1 nova-compute
admin: compute service set --up host1 nova-compute
admin: availability zone list --long
admin: aggregate create --zone nova --property ssd=true fast
admin: aggregate set --name faster --property ssd=false fast
admin: aggregate add host faster host1
admin: aggregate list --long
admin: aggregate show faster
admin: aggregate unset --property ssd faster
admin: aggregate cache image faster tiny
admin: aggregate remove host faster host1
admin: aggregate delete faster
"""

PROXIED_GROUPS = """
demo: server add security group vm {group}
demo: server remove security group vm {group}
demo: server delete --wait vm
"""

ONCE = """
demo: catalog show nova
demo: configuration show
demo: command list
demo: module list
demo: project cleanup --dry-run --auth-project
admin: role create guide
admin: role set --name guides guide
admin: role delete guides
admin: group create crew
admin: group set --description crew crew
admin: group show crew
admin: group delete crew
admin: project create --tag a --tag b tagged
admin: project set --tag c tagged
admin: project set --remove-tag a tagged
admin: project list --tags b
admin: project delete tagged
admin: service create --name other dns
admin: service set --description of-names other
admin: endpoint create other public http://127.0.0.1:1 =endpoint
admin: endpoint set --url http://127.0.0.1:2 {endpoint[id]}
admin: endpoint delete {endpoint[id]}
admin: service delete other
admin: region create east
admin: region set --description east east
admin: region show east
admin: region delete east
admin: credential create --type cert --project demo demo {folder}/key.pub =credential
admin: credential list
admin: credential show {credential[id]}
admin: credential set --type cert --data {folder}/key.pub --user demo {credential[id]}
admin: credential delete {credential[id]}
demo: application credential create --access-rules {folder}/rules.json bound
demo: access rule list =rules
demo: access rule show {rules[0][ID]}
demo: application credential delete bound
demo: access rule delete {rules[0][ID]}
demo: image stage --file {folder}/disk waiting
demo: image import --method glance-direct waiting
demo: image task list =tasks
demo: image task show {tasks[0][ID]}
demo: image stores list
demo: image delete waiting
admin: compute agent create linux x86_64 1.0 http://127.0.0.1/a 0123456789abcdef0123456789abcdef QEMU =agent
admin: compute agent list
admin: compute agent set --agent-version 1.1 --url http://127.0.0.1/b --md5hash {md5} {agent[agent_id]}
admin: compute agent delete {agent[agent_id]}
admin: quota list --compute
"""
"""What is the same whether there is a network service or not: run with one."""

NETWORK = """
demo: security group create --description for-web web
demo: security group rule create --protocol tcp --dst-port 80 web =rule
demo: security group rule list web
demo: security group rule show {rule[id]}
demo: security group set --name www web
demo: security group show www
demo: security group list
demo: server add security group vm www
demo: server remove security group vm www
demo: security group rule delete {rule[id]}
demo: security group delete www
demo: network list
demo: network list --external
demo: network show private
demo: subnet list =subnets
demo: port list
demo: port list --server vm
demo: floating ip list
demo: floating ip create nova =floating
demo: floating ip show {floating[floating_ip_address]}
demo: server add floating ip vm {floating[floating_ip_address]}
demo: server remove floating ip vm {floating[floating_ip_address]}
demo: floating ip create --floating-ip-address 192.0.2.30 nova
demo: floating ip delete {floating[floating_ip_address]} 192.0.2.30
demo: router create way
demo: router set --external-gateway nova way
demo: router add subnet way {subnets[0][ID]}
demo: router list
demo: router show way
demo: router unset --external-gateway way
demo: router remove subnet way {subnets[0][ID]}
demo: router delete way
demo: security group create tagged
demo: security group set --tag a tagged
demo: security group unset --tag a tagged
demo: security group delete tagged
admin: network create --share second
admin: subnet create --network second --subnet-range 10.78.0.0/24 secondnet
demo: server add fixed ip vm second
demo: port list --server vm --network second =ports
demo: port show {ports[0][ID]}
demo: port set --name one --tag x {ports[0][ID]}
demo: port unset --tag x {ports[0][ID]}
demo: floating ip create nova =floating
demo: floating ip set --port {ports[0][ID]} --tag x {floating[floating_ip_address]}
demo: floating ip unset --port --tag x {floating[floating_ip_address]}
demo: floating ip delete {floating[floating_ip_address]}
demo: server remove port vm {ports[0][ID]}
demo: port create --network second --fixed-ip ip-address=10.78.0.90 --mac-address fa:16:3e:00:00:90 p1
demo: server add port vm p1
demo: server remove port vm p1
demo: server create --flavor m1.nano --image tiny --nic port-id=p1 --wait with-port
demo: server delete --wait with-port
demo: port delete p1
demo: server add network vm second
demo: server remove network vm second
demo: server add fixed ip --fixed-ip-address 10.78.0.77 vm second
demo: server remove fixed ip vm 10.78.0.77
admin: network set --tag t second
admin: network unset --tag t second
admin: subnet set --dns-nameserver 192.0.2.53 --tag t secondnet
admin: subnet unset --dns-nameserver 192.0.2.53 --tag t secondnet
admin: network delete second
admin: network create lab
admin: subnet create --network lab --subnet-range 10.77.0.0/24 labnet
admin: subnet show labnet
admin: subnet set --name labnet2 labnet
admin: network set --name lab2 lab
admin: subnet delete labnet2
admin: network delete lab2
admin: network agent list =agents
admin: network agent show {agents[0][ID]}
admin: network agent set --disable {agents[0][ID]}
admin: network agent set --enable {agents[0][ID]}
admin: ip availability list
admin: ip availability show private
admin: network service provider list
admin: subnet pool list
admin: address group list
demo: availability zone list --network
demo: extension list --network
demo: extension show quotas
admin: quota list --network
demo: server delete --wait vm
"""

MOVES = """
demo: server create --flavor m1.nano --image tiny --nic none --wait vm
demo: server show vm =vm
demo: server delete vm
demo: server list --deleted
demo: server restore {vm[id]}
admin: server migrate --wait {vm[id]}
demo: server migrate confirm vm
admin: server migrate --wait {vm[id]}
admin: server migration confirm {vm[id]}
admin: server migrate --wait {vm[id]}
demo: server migrate revert vm
admin: server migrate --wait {vm[id]}
demo: server migration revert vm
admin: server migrate --live-migration --wait {vm[id]}
admin: server migration list --type live-migration --server {vm[id]}
admin: server show {vm[id]} =vm
"""
"""With two hosts, where servers that are deleted may be restored."""


def parsed(text: str, **words: object) -> list[tuple[str, str, str]]:
    """Return (user, command, name of what it prints) of each line."""
    found = []
    for line in filter(None, text.splitlines()):
        user, _, command = line.partition(": ")
        command, _, keep = command.partition(" =")
        found.append((user, command, keep))
    return found
